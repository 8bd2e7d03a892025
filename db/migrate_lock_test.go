package db_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"

	"github.com/claimsync/claimsync/db"
	"github.com/claimsync/claimsync/db/dbtest"
)

// Processes that start at the same time take turns, each with a pool of one connection, whatever isolation is the default.
func TestMigrateAtOnce(t *testing.T) {
	t.Parallel()
	for _, isolation := range []string{"read committed", "repeatable read", "serializable"} {
		t.Run(isolation, func(t *testing.T) { t.Parallel(); migrateAtOnce(t, isolation) })
	}
}

func migrateAtOnce(t *testing.T, isolation string) {
	url := dbtest.EmptyURL(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // or those that wait for one another would do so for ever
	defer cancel()
	var group errgroup.Group
	for range 4 {
		pool, err := db.Open(ctx, url, func(config *pgxpool.Config) {
			config.MaxConns = 1
			config.ConnConfig.RuntimeParams["default_transaction_isolation"] = isolation
		})
		if err != nil {
			t.Fatal(err)
		}
		defer pool.Close()
		group.Go(func() error { return db.Migrate(ctx, pool, db.MigrateConfig{}) })
	}
	if err := group.Wait(); err != nil {
		t.Error(err)
	}
}

// Whoever has the turn keeps it for as long as it takes, whatever timeouts the database has. Whoever waits for it can be
// stopped.
func TestMigrateKeepsItsTurn(t *testing.T) {
	t.Parallel()
	pool := dbtest.NewEmpty(t)
	migrateTo(t, pool, 9)
	slow, err := pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := slow.Exec(t.Context(), "LOCK TABLE organizations IN ROW EXCLUSIVE MODE"); err != nil {
		t.Fatal(err)
	}
	exec(t, pool, `DO $$ BEGIN
		EXECUTE format('ALTER DATABASE %I SET idle_in_transaction_session_timeout = ''1s''', current_database()); END $$`)
	migrated := make(chan error, 1)
	go func() { migrated <- db.Migrate(t.Context(), pool, db.MigrateConfig{}) }()
	untilWaiting(t, pool, "CREATE INDEX", migrated, 2*time.Second)
	if n := count(t, pool, "pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"); n != 2 {
		t.Errorf("%d locks are held, want those of one process", n)
	}

	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	err = db.Migrate(ctx, pool, db.MigrateConfig{})
	if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "waiting for the migration lock") {
		t.Errorf("another one: %v", err)
	}
	if err := slow.Rollback(t.Context()); err != nil {
		t.Error(err)
	}
	if err := <-migrated; err != nil {
		t.Error(err)
	}
}
