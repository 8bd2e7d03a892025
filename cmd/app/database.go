package main

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"github.com/claimsync/claimsync"
	"github.com/claimsync/claimsync/clerk"
	"github.com/claimsync/claimsync/db"
	"github.com/claimsync/claimsync/jobs"
	"github.com/claimsync/claimsync/scoring"
)

// databaseFlags are the flags of the commands that need a database.
type databaseFlags struct {
	DatabaseURL string `name:"database-url" envvar:"DATABASE_URL" placeholder:"URL" help:"PostgreSQL to work on, as postgres://user:password@host/database."`
	RiverSchema string `name:"river-schema" envvar:"RIVER_SCHEMA" default:"river" help:"Schema of River's tables."`
	Pooler      string `name:"database-pooler" envvar:"DATABASE_POOLER" enum:"auto,yes,no" default:"auto" help:"Whether a pooler such as PgBouncer is in between, in transaction mode: yes, no or auto, which finds out."`

	pooled bool // what open found out
}

// open opens the database, and checks that it answers.
func (f *databaseFlags) open(ctx context.Context, edits ...func(*pgxpool.Config)) (*pgxpool.Pool, error) {
	if f.DatabaseURL == "" {
		return nil, usage("no database: set DATABASE_URL or --database-url, as postgres://user:password@host/database")
	}
	if _, err := db.Config(f.DatabaseURL); err != nil {
		return nil, usageError{err}
	}
	pool, err := db.Open(ctx, f.DatabaseURL, edits...)
	if err != nil {
		return nil, err
	}
	pooled, err := db.IsPooled(ctx, pool)
	if err != nil {
		pool.Close()
		return nil, fmt.Errorf("the database does not answer: %w", err)
	}
	f.pooled = f.Pooler == "yes" || f.Pooler == "auto" && pooled
	if !f.pooled {
		return pool, nil
	}
	pool.Close()
	return db.Open(ctx, f.DatabaseURL, append(edits, db.WithoutSessions)...)
}

// tool is what the commands work with that look at organizations or change them. They mark and insert jobs; some
// `app serve` delivers.
type tool struct {
	pool  *pgxpool.Pool
	sync  *claimsync.Sync
	river *river.Client[pgx.Tx] // inserts only
	waker jobs.Waker
	store *scoring.Store
}

func (f *databaseFlags) openTool(ctx context.Context, logger *slog.Logger) (*tool, error) {
	return f.openRatedTool(ctx, logger, rateFlags{})
}

// openRatedTool is for a command that looks at the budgets of those who deliver.
func (f *databaseFlags) openRatedTool(ctx context.Context, logger *slog.Logger, rate rateFlags) (*tool, error) {
	return f.openClerkTool(ctx, logger, rate, nil)
}

// openClerkTool is for a command that calls Clerk itself.
func (f *databaseFlags) openClerkTool(
	ctx context.Context, logger *slog.Logger, rate rateFlags, client *clerk.Client,
) (*tool, error) {
	pool, err := f.open(ctx)
	if err != nil {
		return nil, err
	}
	t, err := f.newTool(pool, logger, rate, client)
	if err != nil {
		pool.Close()
		return nil, err
	}
	return t, nil
}

// newTool works on a pool that is open.
func (f *databaseFlags) newTool(
	pool *pgxpool.Pool, logger *slog.Logger, rate rateFlags, client *clerk.Client,
) (*tool, error) {
	sync, err := claimsync.New(claimsync.Config{
		Pool: pool, Clerk: client, RiverSchema: f.RiverSchema, Logger: logger, RateLimit: rate.RateLimit, RateShare: rate.RateShare,
		OrganizationRateLimit: rate.OrganizationRateLimit,
	})
	if err != nil {
		return nil, err
	}
	inserter, err := river.NewClient(riverpgxv5.New(pool), jobs.InsertConfig(f.RiverSchema, logger))
	if err != nil {
		return nil, usageError{err}
	}
	waker := jobs.NewWaker(inserter)
	return &tool{pool: pool, sync: sync, river: inserter, waker: waker, store: sync.Store(waker)}, nil
}

func (t *tool) close() { t.pool.Close() }
