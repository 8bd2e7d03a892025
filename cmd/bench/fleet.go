package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"github.com/claimsync/claimsync"
	"github.com/claimsync/claimsync/clerk/clerktest"
	"github.com/claimsync/claimsync/db"
	"github.com/claimsync/claimsync/jobs"
	"github.com/claimsync/claimsync/outbox"
	"github.com/claimsync/claimsync/scoring"
)

// fleet is an installation: a database with organizations, an emulated Clerk that has them too, and processes of the
// program. The scenario itself is a monolith that embeds claimsync and changes the organizations.
type fleet struct {
	config    fleetConfig
	program   string
	quiet     *sync.Mutex // the rig's
	url       string      // of the database
	pool      *pgxpool.Pool
	clerk     *clerktest.Server
	outbox    *outbox.Outbox
	waker     jobs.Waker
	announce  announcer
	store     *scoring.Store
	keys      []string // the Clerk organizations org_0, org_1, … of the organizations o0, o1, …
	templates []string // the organizations that a population is copied from
	processes []*serving
	closing   closers
}

// fleetConfig says what a fleet is made of.
type fleetConfig struct {
	organizations int
	processes     int // that start with it
	clerk         clerktest.Config
	environment   []string // of the processes, beside what they cannot do without
	flags         []string // of app serve
}

// clerkOf is a Clerk instance with a rate limit per 10 s.
func clerkOf(requests int) clerktest.Config {
	return clerktest.Config{InstanceLimit: clerktest.Limit{Requests: requests, Window: window}}
}

// window is the time that Clerk's limits are per.
const window = 10 * time.Second

// production is Clerk's limit for an instance in production, in requests per window.
const production = 1000

// processes is how many a fleet has.
const processes = 3

// usual is Clerk on a good day.
var usual = clerktest.Fault{Latency: 30 * time.Millisecond}

// withFleet plays a scenario on a fleet of its own. What goes wrong is returned with the end of the processes' logs.
func (b *bench) withFleet(
	ctx context.Context, config fleetConfig, play func(*fleet) ([]bound, error),
) (_ []bound, err error) {
	f := &fleet{config: config, program: b.program, quiet: &b.quiet}
	defer func() { err = errors.Join(err, f.closing.close()) }()
	if f.url, err = b.newDatabase(ctx); err != nil {
		return nil, err
	}
	if err = f.setUp(ctx); err != nil {
		return nil, fmt.Errorf("%w%s", err, f.logs())
	}
	b.started()
	bounds, err := play(f)
	if err != nil {
		return nil, fmt.Errorf("%w%s", err, f.logs())
	}
	return bounds, nil
}

func (f *fleet) setUp(ctx context.Context) (err error) {
	if f.pool, err = db.Open(ctx, f.url); err != nil {
		return err
	}
	f.closing.add(func() error { f.pool.Close(); return nil })
	if err = db.Migrate(ctx, f.pool, db.MigrateConfig{}); err != nil {
		return err
	}
	if f.clerk, err = clerktest.Start(f.config.clerk); err != nil {
		return err
	}
	f.closing.add(f.clerk.Close)
	f.clerk.SetFaults(usual)
	if err = f.embed(); err != nil {
		return err
	}
	if err = f.addOrganizations(ctx); err != nil {
		return err
	}
	f.closing.add(f.stop)
	return f.start(ctx)
}

// embed changes organizations, and announces it, as an embedding application does.
func (f *fleet) embed() error {
	synced, err := claimsync.New(claimsync.Config{Pool: f.pool})
	if err != nil {
		return err
	}
	insertOnly := jobs.InsertConfig(db.DefaultRiverSchema, slog.New(slog.DiscardHandler))
	client, err := river.NewClient(riverpgxv5.New(f.pool), insertOnly)
	if err != nil {
		return err
	}
	f.outbox, f.waker = synced.Outbox(), jobs.NewWaker(client)
	f.store = synced.Store(f.waker)
	f.announce = func(ctx context.Context, tx pgx.Tx, keys []string) error {
		return f.outbox.MarkTx(ctx, tx, f.waker, claimsync.Topic, outbox.PriorityLive, keys...)
	}
	return nil
}

// addOrganizations makes organizations that are linked, and of which Clerk knows nothing yet.
func (f *fleet) addOrganizations(ctx context.Context) error {
	for i := range f.config.organizations {
		key := fmt.Sprintf("org_%d", i)
		f.keys = append(f.keys, key)
		f.clerk.AddOrganization(key, key)
	}
	return f.exec(ctx, `INSERT INTO organizations (id, name, clerk_org_id)
		SELECT 'o' || i, 'Organization ' || i, 'org_' || i FROM generate_series(0, $1 - 1) AS i`, f.config.organizations)
}

// openPool opens a pool of so many connections to the fleet's database. The caller closes it.
func (f *fleet) openPool(ctx context.Context, connections int) (*pgxpool.Pool, error) {
	return db.Open(ctx, f.url, func(config *pgxpool.Config) {
		config.MinConns, config.MaxConns = int32(connections), int32(connections)
	})
}

func (f *fleet) exec(ctx context.Context, sql string, args ...any) error {
	if _, err := f.pool.Exec(ctx, sql, args...); err != nil {
		return fmt.Errorf("%s: %w", oneLine(sql), err)
	}
	return nil
}

// query returns the one value that a query answers with.
func query[T any](ctx context.Context, f *fleet, sql string, args ...any) (value T, err error) {
	if err = f.pool.QueryRow(ctx, sql, args...).Scan(&value); err != nil {
		err = fmt.Errorf("%s: %w", oneLine(sql), err)
	}
	return value, err
}

func oneLine(sql string) string { return strings.Join(strings.Fields(sql), " ") }
