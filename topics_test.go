package claimsync_test

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivertype"

	"github.com/claimsync/claimsync"
	"github.com/claimsync/claimsync/clerk"
	"github.com/claimsync/claimsync/db"
	"github.com/claimsync/claimsync/db/dbtest"
	"github.com/claimsync/claimsync/jobs"
	"github.com/claimsync/claimsync/outbox"
	"github.com/claimsync/claimsync/scoring"
)

func TestDestinations(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		topic string
		own   claimsync.Destination
		want  string
	}{
		"fine":                {"crm_account", claimsync.Destination{Destination: accounts{}}, ""},
		"Clerk's own topic":   {claimsync.Topic, claimsync.Destination{Destination: accounts{}}, "Clerk's"},
		"no name":             {"", claimsync.Destination{Destination: accounts{}}, "topic"},
		"not River's":         {"crm__account", claimsync.Destination{Destination: accounts{}}, "topic"},
		"not the database's":  {"2crm", claimsync.Destination{Destination: accounts{}}, "topic"},
		"too long":            {strings.Repeat("a", 64), claimsync.Destination{Destination: accounts{}}, "topic"},
		"nothing there":       {"crm_account", claimsync.Destination{}, "nothing"},
		"never":               {"crm_account", claimsync.Destination{Destination: accounts{}, Budget: outbox.Budget{Key: outbox.Limit{Calls: 1}}}, "Window"},
		"more than all of it": {"crm_account", claimsync.Destination{Destination: accounts{}, Budget: outbox.Budget{Share: 2}}, "share"},
	} {
		_, err := claimsync.New(claimsync.Config{
			Pool: new(pgxpool.Pool), Destinations: map[string]claimsync.Destination{test.topic: test.own},
		})
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%s: got %v, want an error about %q", name, err, test.want)
		}
	}
}

// TestRateLimits: what makes no sense is refused, and not taken for no limit.
func TestRateLimits(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		config claimsync.Config
		ok     bool
	}{
		"Clerk's":           {claimsync.Config{}, true},
		"none":              {claimsync.Config{RateLimit: claimsync.Unlimited, OrganizationRateLimit: claimsync.Unlimited}, true},
		"less than none":    {claimsync.Config{RateLimit: -5}, false},
		"… of one":          {claimsync.Config{OrganizationRateLimit: -5}, false},
		"too many to count": {claimsync.Config{RateLimit: 2_000_000_000}, false},
		"more than all":     {claimsync.Config{RateShare: 1.1}, false},
	} {
		test.config.Pool = new(pgxpool.Pool)
		if _, err := claimsync.New(test.config); (err == nil) != test.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestBudgets: each destination is called as often as its own budget admits.
func TestBudgets(t *testing.T) {
	t.Parallel()
	pool := dbtest.New(t)
	sync, err := claimsync.New(claimsync.Config{Pool: pool, RateLimit: 1000, Destinations: map[string]claimsync.Destination{
		"crm_account": {Destination: accounts{}, Budget: outbox.Budget{Fleet: outbox.Limit{Calls: 1, Window: time.Hour}, Share: 1}},
		"unbounded":   {Destination: accounts{}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	for topic, hour := range map[string]bool{claimsync.Topic: false, "crm_account": true} {
		var last outbox.Reservation
		for range 2 {
			if last, err = sync.Outbox().Reserve(t.Context(), pool, topic, outbox.PriorityLive, false); err != nil {
				t.Fatal(err)
			}
		}
		if (last.Wait > 50*time.Minute) != hour || !last.Granted {
			t.Errorf("%s: the second call is granted (%t) in %s; in an hour: %t", topic, last.Granted, last.Wait, hour)
		}
	}
	if sync.Outbox().Limited("unbounded") {
		t.Error("a destination without a budget is bounded")
	}
}

// TestRegister: the application's own stays as it is, and a client whose tables are elsewhere is refused before a transaction is.
func TestRegister(t *testing.T) {
	t.Parallel()
	mail := map[string]river.QueueConfig{"mail": {MaxWorkers: 3}}
	for name, test := range map[string]struct {
		ours   string
		client river.Config
		want   string
	}{
		"both by default":          {"", river.Config{Schema: "river"}, ""},
		"both elsewhere":           {"jobs", river.Config{Schema: "jobs"}, ""},
		"by the search path":       {"public", river.Config{}, ""},
		"nobody knows where":       {"", river.Config{}, "public"},
		"theirs elsewhere":         {"", river.Config{Schema: "jobs"}, `"jobs"`},
		"ours elsewhere":           {"jobs", river.Config{Schema: "river"}, `"jobs"`},
		"a queue that is there":    {"", river.Config{Schema: "river", Queues: map[string]river.QueueConfig{"crm_account": {}}}, "crm_account"},
		"beside the application's": {"", river.Config{Schema: "river", Queues: mail}, ""},
	} {
		sync, err := claimsync.New(claimsync.Config{
			Pool: new(pgxpool.Pool), RiverSchema: test.ours, MaxWorkers: 7,
			Destinations: map[string]claimsync.Destination{"crm_account": {Destination: accounts{}}},
		})
		if err != nil {
			t.Fatal(err)
		}
		err = sync.Register(&test.client)
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%s: got %v, want an error about %q", name, err, test.want)
		}
		if test.want == "" && test.client.Queues["crm_account"].MaxWorkers != 7 {
			t.Errorf("%s: queues %+v", name, test.client.Queues)
		}
		if want := cmp.Or(test.ours, "river"); test.want == "" && test.client.Schema != want {
			t.Errorf("%s: the client has the schema %q, want %q", name, test.client.Schema, want)
		}
		if test.client.SoftStopTimeout != 0 {
			t.Errorf("%s: the application's jobs are cancelled after %s", name, test.client.SoftStopTimeout)
		}
	}
	if mail["mail"].MaxWorkers != 3 || len(mail) != 2 {
		t.Errorf("the application's queues: %+v", mail)
	}
}

// TestRegisterNothing: without a destination there is nothing to work.
func TestRegisterNothing(t *testing.T) {
	t.Parallel()
	sync, err := claimsync.New(claimsync.Config{Pool: new(pgxpool.Pool)})
	if err != nil {
		t.Fatal(err)
	}
	client := river.Config{Schema: "river"}
	if err := sync.Register(&client); err == nil || !strings.Contains(err.Error(), "Config.Clerk") || client.Workers != nil {
		t.Errorf("registered with %v: %+v", err, client)
	}
}

// TestQueueIsResumedFromElsewhere: what another process says of a queue, as "app breaker close" does, reaches an application
// whose River client names no schema, also where another schema is first in its search path.
func TestQueueIsResumedFromElsewhere(t *testing.T) {
	t.Parallel()
	config, err := db.Config(dbtest.EmptyURL(t))
	if err != nil {
		t.Fatal(err)
	}
	config.ConnConfig.RuntimeParams["search_path"] = "claimsync,public"
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	if _, err := pool.Exec(t.Context(), "CREATE SCHEMA claimsync"); err != nil {
		t.Fatal(err)
	}
	if err := db.Migrate(t.Context(), pool, db.MigrateConfig{RiverSchema: "public"}); err != nil {
		t.Fatal(err)
	}
	sync, err := claimsync.New(claimsync.Config{
		Pool: pool, RiverSchema: "public",
		Destinations: map[string]claimsync.Destination{"crm_account": {Destination: accounts{}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	settings := &river.Config{Logger: slog.New(slog.DiscardHandler)}
	if err := sync.Register(settings); err != nil {
		t.Fatal(err)
	}
	client, err := river.NewClient(riverpgxv5.New(pool), settings)
	if err != nil {
		t.Fatal(err)
	}
	resumed, unsubscribe := client.Subscribe(river.EventKindQueueResumed)
	defer unsubscribe()
	if err := client.Start(context.WithoutCancel(t.Context())); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = client.Stop(context.WithoutCancel(t.Context())) }()

	elsewhere, err := river.NewClient(riverpgxv5.New(pool), jobs.InsertConfig("public", slog.New(slog.DiscardHandler)))
	if err != nil {
		t.Fatal(err)
	}
	// Again and again: the client may not have its queue yet, or not listen.
	heard := func() bool {
		for _, say := range []func(context.Context, string, *river.QueuePauseOpts) error{elsewhere.QueuePause, elsewhere.QueueResume} {
			if err := say(t.Context(), "crm_account", nil); err != nil && !errors.Is(err, rivertype.ErrNotFound) {
				t.Fatal(err)
			}
		}
		select {
		case <-resumed:
			return true
		case <-time.After(100 * time.Millisecond):
			return false
		}
	}
	for deadline := time.Now().Add(20 * time.Second); !heard(); {
		if time.Now().After(deadline) {
			t.Fatal("the application's queue was resumed, and it did not hear that")
		}
	}
}

// TestFollowsClaims: a topic of the application's is marked whenever the claims of an organization change, and then only.
func TestFollowsClaims(t *testing.T) {
	t.Parallel()
	pool := dbtest.New(t)
	client, err := clerk.New(clerk.Config{SecretKey: "sk_test_0123456789"})
	if err != nil {
		t.Fatal(err)
	}
	sync, err := claimsync.New(claimsync.Config{Pool: pool, Clerk: client, Destinations: map[string]claimsync.Destination{
		"crm_account": {Destination: accounts{}, FollowsClaims: true},
		"other":       {Destination: accounts{}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	inserting, err := river.NewClient(riverpgxv5.New(pool), jobs.InsertConfig("river", slog.New(slog.DiscardHandler)))
	if err != nil {
		t.Fatal(err)
	}
	store := sync.Store(jobs.NewWaker(inserting))
	version := func() (n int64) {
		t.Helper()
		status, _, err := sync.Outbox().Status(t.Context(), pool, "crm_account", "acme")
		if err != nil {
			t.Fatal(err)
		}
		return status.DesiredVersion
	}
	now := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	for _, step := range []struct {
		what string
		do   func(tx pgx.Tx) error
		want int64
	}{
		{"created, linked to nothing", func(tx pgx.Tx) error {
			_, _, err := store.CreateTx(t.Context(), tx, scoring.Organization{ID: "acme", Name: "Acme", CertificationTier: scoring.Accredited}, now)
			return err
		}, 1},
		{"renamed", func(tx pgx.Tx) error {
			_, _, err := store.UpdateTx(t.Context(), tx, "acme", scoring.OrganizationUpdate{Name: new("Acme Ltd")}, now)
			return err
		}, 1},
		{"linked", func(tx pgx.Tx) error {
			_, _, err := store.UpdateTx(t.Context(), tx, "acme", scoring.OrganizationUpdate{ClerkOrgID: new(new("org_acme"))}, now)
			return err
		}, 1},
		{"certified", func(tx pgx.Tx) error {
			_, _, err := store.UpdateTx(t.Context(), tx, "acme", scoring.OrganizationUpdate{CertificationTier: new(scoring.Certified)}, now)
			return err
		}, 2},
		{"deleted", func(tx pgx.Tx) error { return store.DeleteTx(t.Context(), tx, "acme") }, 3},
	} {
		if err := pgx.BeginFunc(t.Context(), pool, step.do); err != nil {
			t.Fatalf("%s: %v", step.what, err)
		}
		if got := version(); got != step.want {
			t.Errorf("%s: marked %d times, want %d", step.what, got, step.want)
		}
	}
	if _, found, err := sync.Outbox().Status(t.Context(), pool, "other", "acme"); found || err != nil {
		t.Errorf("a topic that follows nothing was marked: %v", err)
	}
}
