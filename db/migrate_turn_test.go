package db_test

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/claimsync/claimsync/db"
	"github.com/claimsync/claimsync/db/dbtest"
	"github.com/claimsync/claimsync/internal/logtest"
)

// migration is one that runs beside the test.
type migration struct {
	log  logtest.Journal
	done chan error
}

func startMigration(t *testing.T, pool *pgxpool.Pool) *migration {
	t.Helper()
	m := &migration{done: make(chan error, 1)}
	config := db.MigrateConfig{WithoutRiver: true, Logger: slog.New(slog.NewTextHandler(&m.log, nil))}
	go func() { m.done <- db.Migrate(t.Context(), pool, config) }()
	return m
}

// migrateLock is one of the locks, by the lower half of its key, as it is held.
const (
	migrateLock = "pg_locks WHERE locktype = 'advisory' AND granted AND objid = x'6d73796e'::int + $1 " +
		"AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
	first, second = 0, 1
)

// holder is who has the lock; 0: nobody.
func holder(t *testing.T, pool *pgxpool.Pool, lock int) (pid int) {
	t.Helper()
	if err := pool.QueryRow(t.Context(), "SELECT COALESCE((SELECT pid FROM "+migrateLock+"), 0)", lock).Scan(&pid); err != nil {
		t.Fatal(err)
	}
	return pid
}

// lose ends the connection that has the lock.
func lose(t *testing.T, pool *pgxpool.Pool, lock int) {
	t.Helper()
	held := holder(t, pool, lock)
	if held == 0 {
		t.Fatalf("nobody has lock %d", lock)
	}
	exec(t, pool, "SELECT pg_terminate_backend($1)", held)
	until(t, "the connection is gone", func() bool { return holder(t, pool, lock) != held })
}

func until(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !condition(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("still not: %s", what)
		}
	}
}

// slowWriter has an index of 00012 waited for, until it is rolled back.
func slowWriter(t *testing.T, pool *pgxpool.Pool) (rollback func()) {
	t.Helper()
	tx, err := pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), "LOCK TABLE organizations IN ROW EXCLUSIVE MODE"); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := tx.Rollback(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

// Whoever loses one of the locks finishes what is under way, in nobody's company, and says so. Another one goes on from there.
func TestMigrateLosesALock(t *testing.T) {
	t.Parallel()
	for name, lock := range map[string]int{"the first": first, "the second": second} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pool := dbtest.NewEmpty(t)
			migrateTo(t, pool, 11)
			release := slowWriter(t, pool)
			unlucky := startMigration(t, pool)
			untilWaiting(t, pool, "CREATE INDEX", unlucky.done, 0)
			other := startMigration(t, pool)
			until(t, "the other one waits", func() bool { return strings.Contains(other.log.String(), "Waiting for another process") })

			lose(t, pool, lock)
			if lock == first {
				until(t, "the other one has it", func() bool { return holder(t, pool, first) != 0 })
			}
			release()
			if err := <-unlucky.done; err == nil || !strings.Contains(err.Error(), "was lost, so this one stopped") {
				t.Errorf("the one that lost a lock: %v", err)
			}
			if err := <-other.done; err != nil {
				t.Errorf("the other one: %v", err)
			}
			if log := unlucky.log.String(); !strings.Contains(log, "00012") || strings.Contains(log, "00013") {
				t.Errorf("the one that lost a lock has not stopped after what was under way:\n%s", log)
			}
			if log := other.log.String(); strings.Contains(log, "00012") || !strings.Contains(log, "00013") {
				t.Errorf("the other one has not begun where that stopped:\n%s", log)
			}
		})
	}
}

// Without any lock nobody is kept out, so what is under way stops at once.
func TestMigrateLosesBothLocks(t *testing.T) {
	t.Parallel()
	pool := dbtest.NewEmpty(t)
	migrateTo(t, pool, 11)
	release := slowWriter(t, pool)
	unlucky := startMigration(t, pool)
	untilWaiting(t, pool, "CREATE INDEX", unlucky.done, 0)
	lose(t, pool, first)
	lose(t, pool, second)
	if err := <-unlucky.done; err == nil || !strings.Contains(err.Error(), "was lost, so this one stopped") {
		t.Errorf("the one that lost both locks: %v", err)
	}
	release()
	migrate(t, pool)
	if invalid := invalidIndexes(t, pool); len(invalid) > 0 {
		t.Errorf("half done: %s", invalid)
	}
}
