package ops_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

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
	"github.com/claimsync/claimsync/metrics"
	"github.com/claimsync/claimsync/outbox"
	"github.com/claimsync/claimsync/scoring"
)

func TestMain(m *testing.M) { dbtest.Main(m) }

// plant is all that `app serve` consists of but its front, with a Clerk of its own, and its metrics.
type plant struct {
	t       *testing.T
	pool    *pgxpool.Pool
	clerk   *clerktest.Server
	sync    *claimsync.Sync
	river   *river.Client[pgx.Tx]
	waker   jobs.Waker
	store   *scoring.Store
	metrics *metrics.Metrics

	stopping context.CancelFunc
}

// newPlant returns one that stands still.
func newPlant(t *testing.T) *plant {
	t.Helper()
	server, err := clerktest.Start(clerktest.WithoutLimits())
	if err != nil {
		t.Fatal(err)
	}
	p := &plant{t: t, pool: dbtest.New(t), clerk: server, metrics: metrics.New()}
	client, err := clerk.New(clerk.Config{
		SecretKey: clerktest.DefaultSecretKey, BaseURL: server.BaseURL(), Timeout: 2 * time.Second,
		Transport: p.metrics.WatchClerk(clerk.NewTransport()),
	})
	p.must(err)
	t.Cleanup(func() {
		client.CloseIdleConnections()
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	stopping, stop := context.WithCancel(context.Background())
	t.Cleanup(stop)
	p.stopping = stop
	p.sync, err = claimsync.New(claimsync.Config{
		Pool: p.pool, Clerk: client, RateLimit: 1000, OrganizationRateLimit: claimsync.Unlimited,
		DriftEvery: 4 * time.Second, // looks every second; the first one is after minutes
		RenewEvery: 24 * time.Hour,
		Observer:   p.metrics,
		Stopping:   stopping,
	})
	p.must(err)
	config, err := jobs.RiverConfig(p.sync.Jobs(), db.DefaultRiverSchema)
	p.must(err)
	config.Logger = slog.New(slog.DiscardHandler)
	p.river, err = river.NewClient(riverpgxv5.New(p.pool), config)
	p.must(err)
	p.waker = jobs.NewWaker(p.river)
	p.store = p.sync.Store(p.waker)
	p.watch()
	return p
}

func (p *plant) watch() {
	p.metrics.WatchPool(p.pool)
	p.metrics.WatchOutbox(p.pool, p.sync.Outbox(), claimsync.Topic)
	p.metrics.WatchScores(p.pool)
	p.metrics.WatchDrift(p.pool, claimsync.Topic, p.sync.DriftEvery())
	p.metrics.WatchFleet(p.sync)
}

// work has it push, and do what else a process does, for as long as the test lasts.
func (p *plant) work() {
	p.t.Helper()
	p.must(p.river.Start(context.Background()))
	p.t.Cleanup(func() {
		p.stopping()
		if err := p.river.Stop(context.Background()); err != nil && !errors.Is(err, context.Canceled) {
			p.t.Error(err)
		}
	})
	p.report()
}

// report has it do what Run does, and not push.
func (p *plant) report() {
	p.t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { p.sync.Run(ctx, p.waker) })
	p.t.Cleanup(func() {
		stop()
		running.Wait()
	})
	p.until(`claimsync_processes{state="alive"}`, func(v float64) bool { return v == 1 })
}

// add makes organizations, on both sides.
func (p *plant) add(ids ...string) {
	p.t.Helper()
	given := make([]scoring.OrganizationFacts, len(ids))
	for i, id := range ids {
		p.clerk.AddOrganization("org_"+id, id)
		given[i] = scoring.OrganizationFacts{
			ID: id, Name: id, ClerkOrgID: new("org_" + id), CertificationTier: scoring.Certified,
		}
	}
	p.transact(func(tx pgx.Tx) error {
		_, err := p.store.ImportTx(p.t.Context(), tx, given, time.Time{})
		return err
	})
}

// change marks organizations: there is something to push.
func (p *plant) change(ids ...string) {
	p.t.Helper()
	keys := make([]string, len(ids))
	for i, id := range ids {
		keys[i] = "org_" + id
	}
	p.transact(func(tx pgx.Tx) error {
		return p.sync.Outbox().MarkTx(p.t.Context(), tx, p.waker, claimsync.Topic, outbox.PriorityLive, keys...)
	})
}

func (p *plant) transact(fn func(pgx.Tx) error) {
	p.t.Helper()
	p.must(pgx.BeginFunc(p.t.Context(), p.pool, fn))
}

func (p *plant) exec(sql string, args ...any) {
	p.t.Helper()
	_, err := p.pool.Exec(p.t.Context(), sql, args...)
	p.must(err)
}

func (p *plant) must(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}

// until waits until a series has a value like that.
func (p *plant) until(series string, like func(float64) bool) {
	p.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		value, ok := p.scrape()[series]
		if ok && like(value) {
			return
		}
		if time.Now().After(deadline) {
			p.t.Fatalf("after 30 s %s is %v (%v)", series, value, ok)
		}
	}
}

// inStep waits until everything is pushed.
func (p *plant) inStep() {
	p.t.Helper()
	p.until(`claimsync_outbox_dirty_rows{topic="clerk_organization"}`, func(v float64) bool { return v == 0 })
}

func (p *plant) scrape() scrape {
	p.t.Helper()
	return scrapeOf(p.t, p.metrics)
}
