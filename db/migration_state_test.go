package db_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"github.com/claimsync/claimsync/db"
	"github.com/claimsync/claimsync/db/dbtest"
)

func exec(t testing.TB, pool *pgxpool.Pool, sql string, args ...any) {
	t.Helper()
	if _, err := pool.Exec(t.Context(), sql, args...); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

func migrate(t testing.TB, pool *pgxpool.Pool) {
	t.Helper()
	if err := db.Migrate(t.Context(), pool, db.MigrateConfig{}); err != nil {
		t.Fatal(err)
	}
}

// newest is the newest migration, told by the files.
func newest(t testing.TB) int64 { return versions(t)[len(versions(t))-1] }

// versions are the migrations' of the files, in their order.
func versions(t testing.TB) (versions []int64) {
	t.Helper()
	files, err := filepath.Glob("migrations/*.sql")
	if err != nil || len(files) == 0 {
		t.Fatal(err)
	}
	for _, file := range files {
		version, err := goose.NumericComponent(file)
		if err != nil {
			t.Fatal(err)
		}
		versions = append(versions, version)
	}
	return versions
}

// migrateTo stops after one of claimsync's own migrations, and leaves River's tables alone.
func migrateTo(t testing.TB, pool *pgxpool.Pool, version int64) {
	t.Helper()
	handle := stdlib.OpenDBFromPool(pool)
	defer func() { _ = handle.Close() }() // leaves the pool open
	provider, err := goose.NewProvider(goose.DialectPostgres, handle, os.DirFS("migrations"),
		goose.WithTableName("claimsync_migration"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := provider.UpTo(t.Context(), version); err != nil {
		t.Fatal(err)
	}
}

// A program tells what the database lacks from what it does not know itself, and touches nothing for it.
func TestMigrationState(t *testing.T) {
	t.Parallel()
	pool := dbtest.NewEmpty(t)
	all, last := versions(t), newest(t)
	check := func(when string, want db.MigrationState) {
		t.Helper()
		got, err := db.OwnMigrations(t.Context(), pool)
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" || err != nil {
			t.Errorf("%s, %v (-want +got):\n%s", when, err, diff)
		}
	}
	river := func(when string, missing bool, unknown ...int64) {
		t.Helper()
		got, err := db.RiverMigrations(t.Context(), pool, "jobs")
		if err != nil || len(got.Missing) > 0 != missing || !cmp.Equal(unknown, got.Unknown, cmpopts.EquateEmpty()) {
			t.Errorf("%s, of River: %+v, %v", when, got, err)
		}
	}
	check("empty", db.MigrationState{Missing: all})
	river("empty", true)
	if tables := count(t, pool, "pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"); tables != 0 {
		t.Errorf("%d tables after looking", tables)
	}
	migrateTo(t, pool, 9)
	check("before operations", db.MigrationState{Applied: all[:9], Missing: all[9:]})
	riverToo := func() error { return db.Migrate(t.Context(), pool, db.MigrateConfig{RiverSchema: "jobs"}) }
	if err := riverToo(); err != nil {
		t.Fatal(err)
	}
	check("migrated", db.MigrationState{Applied: all})
	river("migrated", false)
	exec(t, pool, "INSERT INTO claimsync_migration (version_id, is_applied) VALUES ($1, true)", last+1)
	exec(t, pool, "INSERT INTO jobs.river_migration (line, version) VALUES ('main', 99)")
	if err := riverToo(); err != nil { // leaves what it does not know
		t.Fatal(err)
	}
	exec(t, pool, "DELETE FROM claimsync_migration WHERE version_id = 4")
	check("both", db.MigrationState{
		Applied: append(append(all[:3:3], all[4:]...), last+1), Missing: []int64{4}, Unknown: []int64{last + 1},
	})
	river("both", false, 99)
}

func count(t testing.TB, pool *pgxpool.Pool, what string) (n int) {
	t.Helper()
	if err := pool.QueryRow(t.Context(), "SELECT count(*) FROM "+what).Scan(&n); err != nil {
		t.Fatalf("counting %s: %v", what, err)
	}
	return n
}
