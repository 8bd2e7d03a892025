package claimsync_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"github.com/claimsync/claimsync"
	"github.com/claimsync/claimsync/clerk"
	"github.com/claimsync/claimsync/clerk/clerktest"
	"github.com/claimsync/claimsync/db"
	"github.com/claimsync/claimsync/db/dbtest"
	"github.com/claimsync/claimsync/internal/logtest"
	"github.com/claimsync/claimsync/jobs"
	"github.com/claimsync/claimsync/outbox"
	"github.com/claimsync/claimsync/scoring"
	"github.com/claimsync/claimsync/web"
)

// hooked is a process that takes Clerk's events, and pushes once it is told to work.
type hooked struct {
	decider
	clerk  *clerktest.Server
	river  *river.Client[pgx.Tx]
	waker  jobs.Waker
	store  *scoring.Store
	url    string // of the webhook
	events *eventCounter
	log    *logtest.Journal
}

func newHooked(t *testing.T, edits ...func(*claimsync.Config)) *hooked {
	t.Helper()
	t.Parallel()
	server, client := newClerk(t, 500*time.Millisecond)
	h := &hooked{
		decider: decider{t: t, pool: dbtest.New(t)}, clerk: server, events: &eventCounter{seen: map[string]int{}},
		log: &logtest.Journal{},
	}
	config := claimsync.Config{
		Pool: h.pool, Clerk: client, RateLimit: claimsync.Unlimited, OrganizationRateLimit: claimsync.Unlimited,
		Observer: h.events, Logger: slog.New(slog.NewTextHandler(h.log, nil)),
	}
	for _, edit := range edits {
		edit(&config)
	}
	var err error
	if h.sync, err = claimsync.New(config); err != nil {
		t.Fatal(err)
	}
	riverConfig, err := jobs.RiverConfig(h.sync.Jobs(), db.DefaultRiverSchema)
	if err != nil {
		t.Fatal(err)
	}
	riverConfig.Logger = slog.New(slog.DiscardHandler)
	if h.river, err = river.NewClient(riverpgxv5.New(h.pool), riverConfig); err != nil {
		t.Fatal(err)
	}
	h.waker = jobs.NewWaker(h.river)
	h.store = h.sync.Store(h.waker)
	h.serve()
	return h
}

// serve takes webhooks as app serve does.
func (h *hooked) serve() {
	h.t.Helper()
	verifier, err := clerk.NewWebhook(clerktest.DefaultWebhookSecret)
	if err != nil {
		h.t.Fatal(err)
	}
	handler, err := web.NewHandler(web.Config{
		Pool: h.pool, Store: h.store, Sync: h.sync, AdminToken: "token",
		Webhook: h.sync.Webhook(verifier, h.waker),
	})
	if err != nil {
		h.t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	h.t.Cleanup(server.Close)
	h.url = server.URL + "/webhooks/clerk"
}

// work pushes, for as long as the test lasts.
func (h *hooked) work() {
	h.t.Helper()
	if err := h.river.Start(context.Background()); err != nil {
		h.t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { h.sync.Run(ctx, h.waker) })
	h.t.Cleanup(func() {
		stop()
		running.Wait()
		if err := h.river.Stop(context.Background()); err != nil {
			h.t.Error(err)
		}
	})
}

// hook has the emulator send webhooks from now on.
func (h *hooked) hook(config clerktest.WebhookConfig) {
	h.t.Helper()
	config.URL = h.url
	if err := h.clerk.SetWebhooks(config); err != nil {
		h.t.Fatal(err)
	}
}

// insert makes an organization of ours; clerkOrgID "" leaves it unlinked.
func (h *hooked) insert(id, clerkOrgID string) {
	h.t.Helper()
	org := scoring.Organization{ID: id, Name: "The " + id, CertificationTier: scoring.Certified}
	if clerkOrgID != "" {
		org.ClerkOrgID = &clerkOrgID
	}
	h.transact(func(tx pgx.Tx) error {
		_, _, err := h.store.CreateTx(h.t.Context(), tx, org, time.Time{})
		return err
	})
}

func (h *hooked) link(id string, clerkOrgID *string) {
	h.t.Helper()
	h.transact(func(tx pgx.Tx) error {
		_, _, err := h.store.UpdateTx(h.t.Context(), tx, id, scoring.OrganizationUpdate{ClerkOrgID: &clerkOrgID}, time.Time{})
		return err
	})
}

func (h *hooked) transact(fn func(pgx.Tx) error) {
	h.t.Helper()
	if err := pgx.BeginFunc(h.t.Context(), h.pool, fn); err != nil {
		h.t.Fatal(err)
	}
}

// synced makes one of ours that is linked, and in step by its row.
func (h *hooked) synced(id, clerkOrgID string) {
	h.t.Helper()
	h.insert(id, clerkOrgID)
	h.exec(`UPDATE outbox SET synced_version = desired_version, dirty_since = NULL, job_id = NULL,
		synced_at = clock_timestamp() WHERE key = $1`, clerkOrgID)
}

// linked is "ours to Clerk's" of all that are linked.
func (h *hooked) linked() string {
	h.t.Helper()
	return h.text(`SELECT coalesce(string_agg(id || ' to ' || clerk_org_id, ', ' ORDER BY id), '') FROM organizations
		WHERE clerk_org_id IS NOT NULL`)
}

// about is an event whose organization has such members beside its id.
func (h *hooked) about(kind clerk.EventType, clerkOrgID, members string) clerk.Event {
	h.t.Helper()
	body := fmt.Sprintf(`{"type":%q,"timestamp":1790000000000,"data":{"id":%q%s}}`, kind, clerkOrgID, members)
	request, err := clerktest.Webhook{Body: []byte(body)}.Request(h.t.Context(), h.url)
	if err != nil {
		h.t.Fatal(err)
	}
	verifier, err := clerk.NewWebhook(clerktest.DefaultWebhookSecret)
	if err != nil {
		h.t.Fatal(err)
	}
	event, err := verifier.Open(request.Header, []byte(body))
	if err != nil {
		h.t.Fatal(err)
	}
	return event
}

// naming is about, with private metadata that names one of ours.
func (h *hooked) naming(kind clerk.EventType, clerkOrgID, id string) clerk.Event {
	return h.about(kind, clerkOrgID, fmt.Sprintf(`,"private_metadata":{"external_id":%q}`, id))
}

func (h *hooked) handle(event clerk.Event) claimsync.EventOutcome {
	h.t.Helper()
	outcome, err := h.sync.HandleEvent(h.t.Context(), h.waker, event)
	if err != nil {
		h.t.Fatal(err)
	}
	return outcome
}

func (h *hooked) expect(event clerk.Event, want claimsync.EventOutcome) {
	h.t.Helper()
	if got := h.handle(event); got != want {
		h.t.Errorf("%s of %s: %s, want %s", event.Type, event.Organization.ID, got, want)
	}
}

// quiet waits until every event was taken and nothing is left to be pushed or read back.
func (h *hooked) quiet(deliveries int) {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(h.t.Context(), 30*time.Second)
	defer cancel()
	if err := h.clerk.WaitFor(ctx, func() bool { return len(h.clerk.Deliveries()) >= deliveries }); err != nil {
		h.t.Fatalf("%v: %d deliveries, want %d", err, len(h.clerk.Deliveries()), deliveries)
	}
	h.clean()
}

func (h *hooked) clean() {
	h.t.Helper()
	h.until("nothing is left to do", func() bool {
		return h.is(`SELECT count(*) = 0 FROM outbox WHERE dirty_since IS NOT NULL OR lease_token IS NOT NULL OR verify_at IS NOT NULL`)
	})
}

func (h *hooked) claims(clerkOrgID string) string {
	h.t.Helper()
	org, _ := h.clerk.Organization(clerkOrgID)
	var claims map[string]any
	if err := json.Unmarshal(org.PublicMetadata, &claims); err != nil {
		h.t.Fatal(err)
	}
	delete(claims, "claims_as_of") // of no value
	return fmt.Sprint(claims)
}

// eventCounter is an observer that counts events.
type eventCounter struct {
	deaf
	mu   sync.Mutex
	seen map[string]int
}

func (c *eventCounter) ClerkEvent(eventType, outcome string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seen[eventType+" "+outcome]++
}

func (c *eventCounter) counts() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.seen)
}

func (c *eventCounter) of(eventType clerk.EventType, outcome claimsync.EventOutcome) int {
	return c.counts()[string(eventType)+" "+string(outcome)]
}

// reads is how often organizations were read at Clerk.
func (h *hooked) reads() int {
	return len(slices.DeleteFunc(h.clerk.Requests(), func(r clerktest.Request) bool { return r.Method != "GET" }))
}

// brokenWaker knows of no jobs.
type brokenWaker struct{}

func (brokenWaker) WakeUp(context.Context) (outbox.WakeUp, error) {
	return outbox.WakeUp{}, context.DeadlineExceeded
}
