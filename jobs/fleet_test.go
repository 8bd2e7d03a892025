package jobs_test

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

	"github.com/claimsync/claimsync/db"
	"github.com/claimsync/claimsync/db/dbtest"
	"github.com/claimsync/claimsync/jobs"
	"github.com/claimsync/claimsync/outbox"
)

const (
	topic = "test_topic"
	// patience is how long a condition may take that holds within milliseconds on a machine with nothing else to do.
	patience = time.Minute
)

// deliverFunc is a destination that nothing lands at late.
type deliverFunc func(ctx context.Context, key string, version int64) (outbox.Receipt, error)

func (f deliverFunc) Deliver(ctx context.Context, key string, version int64) (outbox.Receipt, error) {
	return f(ctx, key, version)
}

func (deliverFunc) Verify(context.Context, string, int64) (bool, outbox.Receipt, error) {
	return true, outbox.Receipt{Status: 200}, nil
}

// fleet is a database of its own with processes that deliver from it.
type fleet struct {
	t      *testing.T
	pool   *pgxpool.Pool
	config jobs.Config
	waker  outbox.Waker
}

func newFleet(t *testing.T, destination deliverFunc) *fleet {
	t.Helper()
	t.Parallel()
	pool := dbtest.New(t)
	client, err := river.NewClient(riverpgxv5.New(pool), &river.Config{Schema: db.DefaultRiverSchema})
	if err != nil {
		t.Fatal(err)
	}
	return &fleet{
		t: t, pool: pool, waker: jobs.NewWaker(client),
		config: jobs.Config{
			Pool:         pool,
			Outbox:       outbox.New(outbox.Config{}),
			Destinations: map[string]outbox.Destination{topic: destination},
			SweepEvery:   100 * time.Millisecond,
			Logger:       slog.New(slog.DiscardHandler),
		},
	}
}

// start starts a process: River client and maintainer. The test's end stops it, if the returned function has not.
func (f *fleet) start() (stop func()) {
	f.t.Helper()
	config, err := jobs.RiverConfig(f.config, db.DefaultRiverSchema)
	if err != nil {
		f.t.Fatal(err)
	}
	client, err := river.NewClient(riverpgxv5.New(f.pool), config)
	if err != nil {
		f.t.Fatal(err)
	}
	if err := client.Start(context.Background()); err != nil {
		f.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var sweeping sync.WaitGroup
	sweeping.Go(func() { jobs.NewMaintainer(f.config, jobs.NewWaker(client)).Run(ctx) })
	stop = sync.OnceFunc(func() {
		cancel()
		sweeping.Wait()
		if err := client.Stop(context.Background()); err != nil && !errors.Is(err, context.Canceled) {
			f.t.Errorf("stopping the client: %v", err)
		}
	})
	f.t.Cleanup(stop)
	return stop
}

func (f *fleet) mark(keys ...string) {
	f.t.Helper()
	err := pgx.BeginFunc(f.t.Context(), f.pool, func(tx pgx.Tx) error {
		return f.config.Outbox.MarkTx(f.t.Context(), tx, f.waker, topic, outbox.PriorityLive, keys...)
	})
	if err != nil {
		f.t.Fatal(err)
	}
}

// until waits for a condition.
func (f *fleet) until(what string, condition func() bool) {
	f.t.Helper()
	deadline := time.Now().Add(patience)
	for !condition() {
		if time.Now().After(deadline) {
			f.t.Fatalf("after %s still not: %s", patience, what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func (f *fleet) untilClean(keys ...string) {
	f.t.Helper()
	for _, key := range keys {
		f.until(key+" is clean", func() bool { return f.status(key).State == outbox.StateClean })
	}
}

func (f *fleet) status(key string) outbox.Status {
	f.t.Helper()
	status, _, err := f.config.Outbox.Status(f.t.Context(), f.pool, topic, key)
	if err != nil {
		f.t.Fatal(err)
	}
	return status
}

func (f *fleet) deliveries(key string) []outbox.Delivery {
	f.t.Helper()
	deliveries, err := f.config.Outbox.Deliveries(f.t.Context(), f.pool, topic, key, 0, 1000)
	if err != nil {
		f.t.Fatal(err)
	}
	return deliveries
}

// count is a query with one number as its answer.
func (f *fleet) count(query string, args ...any) (n int) {
	f.t.Helper()
	if err := f.pool.QueryRow(f.t.Context(), query, args...).Scan(&n); err != nil {
		f.t.Fatal(err)
	}
	return n
}
