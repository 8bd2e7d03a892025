package db_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/claimsync/claimsync/db"
	"github.com/claimsync/claimsync/db/dbtest"
)

// An index on a table that was there before is built beside its writers. 00003 is from before there was a version to run
// beside.
func TestIndexesAreBuiltBesideWriters(t *testing.T) {
	t.Parallel()
	created := regexp.MustCompile(`(?m)^CREATE TABLE (?:IF NOT EXISTS )?(\w+)`)
	index := regexp.MustCompile(`(?m)^CREATE (?:UNIQUE )?INDEX (CONCURRENTLY )?(\w+)\s+ON (\w+)`)
	files, err := os.ReadDir("migrations")
	if err != nil {
		t.Fatal(err)
	}
	built := 0
	for _, file := range files[3:] {
		text, err := os.ReadFile("migrations/" + file.Name())
		if err != nil {
			t.Fatal(err)
		}
		up, _, _ := strings.Cut(string(text), "-- +goose Down")
		var here []string
		for _, match := range created.FindAllStringSubmatch(up, -1) {
			here = append(here, match[1])
		}
		for _, match := range index.FindAllStringSubmatch(up, -1) {
			concurrently, name, table := match[1] != "", match[2], match[3]
			if slices.Contains(here, table) {
				continue
			}
			built++
			if !concurrently || !strings.Contains(up, "DROP INDEX CONCURRENTLY IF EXISTS "+name+";") {
				t.Errorf("%s: %s keeps writers from %s, or cannot be repeated", file.Name(), name, table)
			}
		}
	}
	if built < 6 {
		t.Errorf("%d indexes were looked at", built)
	}
}

// The same, seen: while a migration waits for a writer who takes his time, others do not wait for the migration.
func TestWritersDoNotWaitForIndexes(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		from  int64
		table string
	}{
		"time, organizations":       {5, "organizations"},
		"time, deliveries":          {5, "outbox_delivery"},
		"operations, deliveries":    {9, "outbox_delivery"},
		"operations, organizations": {9, "organizations"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pool := dbtest.NewEmpty(t)
			migrateTo(t, pool, test.from)
			lock := "LOCK TABLE " + test.table + " IN ROW EXCLUSIVE MODE" // as every writer does
			slow, err := pool.Begin(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if _, err := slow.Exec(t.Context(), lock); err != nil {
				t.Fatal(err)
			}
			migrated := make(chan error, 1)
			go func() { migrated <- db.Migrate(t.Context(), pool, db.MigrateConfig{}) }()
			untilWaiting(t, pool, "CREATE INDEX", migrated, 0)
			err = pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error {
				_, err := tx.Exec(t.Context(), "SET LOCAL lock_timeout = '1s'; "+lock)
				return err
			})
			if err != nil {
				t.Errorf("another writer: %v", err)
			}
			if err := slow.Rollback(t.Context()); err != nil {
				t.Error(err)
			}
			if err := <-migrated; err != nil {
				t.Error(err)
			}
		})
	}
}

// untilWaiting waits until a statement of the migration, with that in its text, has waited for somebody for so long.
func untilWaiting(t *testing.T, pool *pgxpool.Pool, statement string, migrated chan error, long time.Duration) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		var waiting bool
		if err := pool.QueryRow(t.Context(), `SELECT EXISTS (SELECT FROM pg_stat_activity
			WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%' || $2 || '%'
			AND pid <> pg_backend_pid() AND clock_timestamp() - query_start > $1)`, long, statement).Scan(&waiting); err != nil {
			t.Fatal(err)
		}
		switch {
		case waiting:
			return
		case len(migrated) > 0 || time.Now().After(deadline):
			t.Fatalf("the migration waits for nobody: the test proves nothing")
		}
	}
}

// A migration that broke off in the middle of an index is repeated, and the index whole.
func TestBrokenOffMigration(t *testing.T) {
	t.Parallel()
	pool, interrupted := dbtest.NewEmpty(t), dbtest.NewEmpty(t)
	migrate(t, pool)
	for _, from := range []int64{5, 9} {
		migrateTo(t, interrupted, from)
		slow, err := interrupted.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := slow.Exec(t.Context(), "LOCK TABLE organizations IN ROW EXCLUSIVE MODE"); err != nil {
			t.Fatal(err)
		}
		migrated := make(chan error, 1)
		go func() { migrated <- db.Migrate(t.Context(), interrupted, db.MigrateConfig{}) }()
		untilWaiting(t, interrupted, "CREATE INDEX", migrated, 0)
		exec(t, interrupted, `SELECT pg_cancel_backend(pid) FROM pg_stat_activity
			WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%CREATE INDEX%' AND pid <> pg_backend_pid()`)
		if err := <-migrated; db.Code(err) != "57014" { // query_canceled
			t.Fatalf("the migration from %d was not broken off: %v", from, err)
		}
		if err := slow.Rollback(t.Context()); err != nil {
			t.Fatal(err)
		}
		if invalid := invalidIndexes(t, interrupted); len(invalid) == 0 {
			t.Fatalf("from %d, no index is half done: the test proves nothing", from)
		}
	}
	migrate(t, interrupted)
	if diff := cmp.Diff(schema(t, pool), schema(t, interrupted)); diff != "" {
		t.Errorf("broken off (+), and not (-):\n%s", diff)
	}
}

func invalidIndexes(t *testing.T, pool *pgxpool.Pool) []string {
	t.Helper()
	return strs(t, pool, "SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid")
}
