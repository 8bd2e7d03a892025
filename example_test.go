package claimsync_test

import (
	"context"
	"log/slog"
	"maps"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"github.com/claimsync/claimsync"
	"github.com/claimsync/claimsync/clerk"
	"github.com/claimsync/claimsync/jobs"
)

// An application with a pool, a River client and workers of its own adds claimsync to them.
func ExampleNew() {
	embed := func(ctx context.Context, pool *pgxpool.Pool, workers *river.Workers, config *river.Config) error {
		clerkClient, err := clerk.New(clerk.Config{SecretKey: "sk_test_…"})
		if err != nil {
			return err
		}
		sync, err := claimsync.New(claimsync.Config{Pool: pool, Clerk: clerkClient, Logger: slog.Default()})
		if err != nil {
			return err
		}
		if err := jobs.Register(workers, sync.Jobs()); err != nil {
			return err
		}
		maps.Copy(config.Queues, jobs.Queues(sync.Jobs()))
		client, err := river.NewClient(riverpgxv5.New(pool), config)
		if err != nil {
			return err
		}
		waker := jobs.NewWaker(client)
		go sync.Run(ctx, waker)

		// In a transaction of the application's own, after changing facts.
		store := sync.Store(waker)
		return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
			_, _, err := store.RecalculateTx(ctx, tx, "organization-1", time.Time{})
			return err
		})
	}
	_ = embed
}
