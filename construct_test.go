package claimsync_test

import (
	"context"
	"encoding/base64"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"go.uber.org/goleak"

	"github.com/claimsync/claimsync"
	"github.com/claimsync/claimsync/clerk"
	"github.com/claimsync/claimsync/db"
	"github.com/claimsync/claimsync/internal/logtest"
	"github.com/claimsync/claimsync/jobs"
	"github.com/claimsync/claimsync/metrics"
	"github.com/claimsync/claimsync/outbox"
	"github.com/claimsync/claimsync/scoring"
	"github.com/claimsync/claimsync/web"
	"github.com/claimsync/claimsync/web/console"
)

// TestConstructorsStartNothing: whatever an application makes of us runs nothing, asks nothing and says nothing until it is
// told to. Not parallel: other tests' goroutines would be taken for ours.
func TestConstructorsStartNothing(t *testing.T) {
	var dials atomic.Int64
	refuse := func(context.Context, string, string) (net.Conn, error) {
		dials.Add(1)
		return nil, errors.New("nobody is to be called")
	}
	config, err := db.Config("postgres://localhost/application")
	if err != nil {
		t.Fatal(err)
	}
	config.ConnConfig.DialFunc = refuse
	pool, err := pgxpool.NewWithConfig(t.Context(), config) // the application's, with a goroutine of its own
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	before := goleak.IgnoreCurrent()
	usual := slog.Default()

	var log logtest.Journal
	construct(t, pool, slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		&http.Transport{DialContext: refuse})
	if err := goleak.Find(before); err != nil {
		t.Error(err)
	}
	if n := dials.Load(); n != 0 {
		t.Errorf("%d connections were asked for", n)
	}
	if log.String() != "" {
		t.Errorf("the log has\n%s", log.String())
	}
	if slog.Default() != usual {
		t.Error("the application's logger was replaced")
	}
}

// construct makes one of everything.
func construct(t *testing.T, pool *pgxpool.Pool, logger *slog.Logger, transport http.RoundTripper) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	gauges := metrics.New()
	client, err := clerk.New(clerk.Config{SecretKey: "sk_test_0123456789", Transport: gauges.WatchClerk(transport)})
	must(err)
	clerk.NewTransport()
	verifier, err := clerk.NewWebhook("whsec_" + base64.StdEncoding.EncodeToString(make([]byte, 24)))
	must(err)

	stopping, stop := context.WithCancel(t.Context())
	defer stop()
	claims, err := claimsync.New(claimsync.Config{
		Pool: pool, Clerk: client, Logger: logger, Observer: gauges, Stopping: stopping,
		Destinations: map[string]claimsync.Destination{"crm_account": {
			Destination: accounts{}, Budget: outbox.Budget{Fleet: outbox.Limit{Calls: 10, Window: time.Second}}, FollowsClaims: true,
		}},
	})
	must(err)
	gauges.WatchPool(pool)
	gauges.WatchOutbox(pool, claims.Outbox(), claimsync.Topic, "crm_account")
	gauges.WatchScores(pool)
	gauges.WatchDrift(pool, claimsync.Topic, claims.DriftEvery())
	gauges.WatchFleet(claims)

	settings := &river.Config{Schema: db.DefaultRiverSchema, Logger: logger}
	must(claims.Register(settings))
	inserting, err := river.NewClient(riverpgxv5.New(pool), settings)
	must(err)
	waker := jobs.NewWaker(inserting)
	claims.Webhook(verifier, waker)
	jobs.NewMaintainer(claims.Jobs(), waker)
	scoring.NewRecalculator(scoring.RecalculatorConfig{Pool: pool, Store: claims.Store(waker), Logger: logger})
	scoring.NewBackfill(scoring.BackfillConfig{Pool: pool, Store: claims.Store(waker)})

	_, err = console.New(console.Config{Sync: claims, River: inserting, Logger: logger})
	must(err)
	_, err = web.NewHandler(web.Config{
		Pool: pool, Store: claims.Store(waker), Sync: claims, River: inserting, AdminToken: "token",
		Webhook: claims.Webhook(verifier, waker), Metrics: gauges.Handler(), Logger: logger,
	})
	must(err)
}

// accounts is a destination that is never asked.
type accounts struct{}

func (accounts) Deliver(context.Context, string, int64) (outbox.Receipt, error) {
	return outbox.Receipt{}, errors.New("unexpected")
}

func (accounts) Verify(context.Context, string, int64) (bool, outbox.Receipt, error) {
	return false, outbox.Receipt{}, errors.New("unexpected")
}
