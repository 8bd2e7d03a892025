package claimsync_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"github.com/claimsync/claimsync"
	"github.com/claimsync/claimsync/clerk"
	"github.com/claimsync/claimsync/clerk/clerktest"
	"github.com/claimsync/claimsync/db"
	"github.com/claimsync/claimsync/db/dbtest"
	"github.com/claimsync/claimsync/jobs"
	"github.com/claimsync/claimsync/scoring"
)

// drifting is a database and a Clerk, between which something may have drifted.
type drifting struct {
	*decider
	clerk *clerktest.Server
	lists *listHook
	river *river.Client[pgx.Tx]
	waker jobs.Waker
	store *scoring.Store
}

func newDrifting(t *testing.T, edits ...func(*claimsync.Config)) *drifting {
	t.Helper()
	server, err := clerktest.Start(clerktest.WithoutLimits())
	if err != nil {
		t.Fatal(err)
	}
	lists := &listHook{}
	client := newHookedClient(t, server, lists)
	t.Cleanup(func() {
		client.CloseIdleConnections()
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	d := &drifting{decider: &decider{t: t, pool: dbtest.New(t)}, clerk: server, lists: lists}
	d.sync = newSyncOf(t, d.pool, client, edits...)
	config, err := jobs.RiverConfig(d.sync.Jobs(), db.DefaultRiverSchema)
	d.must(err)
	d.river, err = river.NewClient(riverpgxv5.New(d.pool), config)
	d.must(err)
	d.waker = jobs.NewWaker(d.river)
	d.store = d.sync.Store(d.waker)
	return d
}

func newHookedClient(t *testing.T, server *clerktest.Server, lists *listHook) *clerk.Client {
	t.Helper()
	client, err := clerk.New(clerk.Config{
		SecretKey: clerktest.DefaultSecretKey, BaseURL: server.BaseURL(), Transport: lists,
	})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func newSyncOf(t *testing.T, pool *pgxpool.Pool, client *clerk.Client, edits ...func(*claimsync.Config)) *claimsync.Sync {
	t.Helper()
	config := claimsync.Config{
		Pool: pool, Clerk: client, RateLimit: claimsync.Unlimited, OrganizationRateLimit: claimsync.Unlimited,
	}
	for _, edit := range edits {
		edit(&config)
	}
	sync, err := claimsync.New(config)
	if err != nil {
		t.Fatal(err)
	}
	return sync
}

// listHook stands between the client and Clerk, and sees the lists. Its functions are set before they are called.
type listHook struct {
	before func()      // a list is asked for
	after  func(n int) // the nth was answered, and the answer has not arrived yet

	mu       sync.Mutex
	answered int
}

func (h *listHook) RoundTrip(request *http.Request) (*http.Response, error) {
	if !isList(request.Method, request.URL.Path) {
		return http.DefaultTransport.RoundTrip(request)
	}
	if h.before != nil {
		h.before()
	}
	response, err := http.DefaultTransport.RoundTrip(request)
	h.mu.Lock()
	h.answered++
	n := h.answered
	h.mu.Unlock()
	if h.after != nil {
		h.after(n)
	}
	return response, err
}

func isList(method, path string) bool { return method == http.MethodGet && path == "/v1/organizations" }

// listRequests are those that reached Clerk.
func (d *drifting) listRequests() []clerktest.Request {
	return slices.DeleteFunc(d.clerk.Requests(), func(r clerktest.Request) bool { return !isList(r.Method, r.Path) })
}

// work starts the worker, for as long as the test lasts.
func (d *drifting) work() {
	d.t.Helper()
	d.must(d.river.Start(context.Background()))
	d.t.Cleanup(func() {
		if err := d.river.Stop(context.Background()); err != nil && !errors.Is(err, context.Canceled) {
			d.t.Error(err)
		}
	})
}

func (d *drifting) must(err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
}

// create makes organizations, linked to org_ and their ids, and has Clerk know these.
func (d *drifting) create(ids ...string) {
	d.t.Helper()
	var given []scoring.OrganizationFacts
	for _, id := range ids {
		d.clerk.AddOrganization("org_"+id, id)
		given = append(given, scoring.OrganizationFacts{
			ID: id, Name: id, ClerkOrgID: new("org_" + id), CertificationTier: scoring.Certified,
		})
	}
	for batch := range slices.Chunk(given, 250) {
		d.must(pgx.BeginFunc(d.t.Context(), d.pool, func(tx pgx.Tx) error {
			_, err := d.store.ImportTx(d.t.Context(), tx, batch, time.Time{})
			return err
		}))
	}
}

// numbered are ids p0, p1, …
func numbered(prefix string, n int) []string {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = fmt.Sprint(prefix, i)
	}
	return ids
}

// asPushed makes all that was to be pushed look as if it had been, an hour ago.
func (d *drifting) asPushed() {
	d.t.Helper()
	d.exec(`UPDATE outbox SET synced_version = desired_version, dirty_since = NULL, job_id = NULL,
		synced_at = now() - interval '1 h'`)
	d.exec(`DELETE FROM river.river_job`)
}

// synced waits until nothing is left to push or to read back.
func (d *drifting) synced() {
	d.t.Helper()
	d.until("all is pushed and read back", func() bool {
		return d.is(`SELECT count(*) = 0 FROM outbox WHERE dirty_since IS NOT NULL AND parked_at IS NULL
			OR lease_token IS NOT NULL OR verify_at IS NOT NULL`)
	})
}

// edit is somebody's with Clerk's dashboard.
func (d *drifting) edit(id, public string) {
	d.t.Helper()
	if !d.clerk.EditMetadata("org_"+id, json.RawMessage(public), nil) {
		d.t.Fatalf("Clerk has no org_%s", id)
	}
}

// tier changes the tier in Postgres.
func (d *drifting) tier(id string, tier scoring.Tier) {
	d.t.Helper()
	d.must(pgx.BeginFunc(d.t.Context(), d.pool, func(tx pgx.Tx) error {
		_, _, err := d.store.UpdateTx(d.t.Context(), tx, id, scoring.OrganizationUpdate{CertificationTier: &tier}, time.Time{})
		return err
	}))
}

func (d *drifting) check(options claimsync.DriftOptions) *claimsync.DriftReport {
	d.t.Helper()
	report, err := d.sync.CheckDrift(d.t.Context(), d.waker, options)
	d.must(err)
	return report
}

var (
	repairing = claimsync.DriftOptions{Repair: true}
	looking   = claimsync.DriftOptions{}
)

// kindsOf are the kinds by Clerk id.
func kindsOf(report *claimsync.DriftReport) map[string][]claimsync.DriftKind {
	kinds := map[string][]claimsync.DriftKind{}
	for _, drift := range report.Drifts {
		kinds[drift.ClerkOrgID] = drift.Kinds
	}
	return kinds
}

func (d *drifting) expectKinds(report *claimsync.DriftReport, want map[string][]claimsync.DriftKind) {
	d.t.Helper()
	if diff := cmp.Diff(want, kindsOf(report), cmpopts.EquateEmpty()); diff != "" {
		d.t.Errorf("drift (-want +got):\n%s", diff)
	}
}
