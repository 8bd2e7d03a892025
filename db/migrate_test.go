package db_test

import (
	"context"
	"database/sql"
	"io/fs"
	"log/slog"
	"testing"
	"testing/fstest"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"github.com/claimsync/claimsync/db"
	"github.com/claimsync/claimsync/db/dbtest"
	"github.com/claimsync/claimsync/internal/logtest"
)

// applicationMigrations are those of an application that uses goose too, by its default table.
var applicationMigrations = fstest.MapFS{"00001_projects.sql": {Data: []byte("-- +goose Up\nCREATE TABLE projects ();\n")}}

// registerApplicationMigration is for TestMain: goose keeps those that are written in Go for the whole process.
func registerApplicationMigration() {
	goose.AddNamedMigrationContext("99999999_application.go", func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "CREATE TABLE in_go ()")
		return err
	}, nil)
}

// newGoose is a pipeline of the application's own.
func newGoose(t *testing.T, pool *pgxpool.Pool, files fs.FS, options ...goose.ProviderOption) *goose.Provider {
	t.Helper()
	handle := stdlib.OpenDBFromPool(pool)
	t.Cleanup(func() { _ = handle.Close() })
	provider, err := goose.NewProvider(goose.DialectPostgres, handle, files, options...)
	if err != nil {
		t.Fatal(err)
	}
	return provider
}

func up(t *testing.T, provider *goose.Provider) {
	t.Helper()
	if _, err := provider.Up(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func has(t *testing.T, pool *pgxpool.Pool, condition string) (holds bool) {
	t.Helper()
	if err := pool.QueryRow(t.Context(), "SELECT "+condition).Scan(&holds); err != nil {
		t.Fatal(err)
	}
	return holds
}

// TestMigrateBesideAnApplication: what an application has migrated by goose, and what it would, stays its own.
func TestMigrateBesideAnApplication(t *testing.T) {
	t.Parallel()
	pool := dbtest.NewEmpty(t)
	theirs := newGoose(t, pool, applicationMigrations)
	up(t, theirs)
	exec(t, pool, "DROP TABLE in_go")
	if err := db.Migrate(t.Context(), pool, db.MigrateConfig{}); err != nil {
		t.Fatal(err)
	}
	if has(t, pool, "to_regclass('in_go') IS NOT NULL") {
		t.Error("a migration of the application's was run again, as if it were ours")
	}
	if got, err := theirs.GetDBVersion(t.Context()); err != nil || got != 99999999 {
		t.Errorf("the application is at %d: %v", got, err)
	}
	if !has(t, pool, "count(*) = 3 FROM goose_db_version") { // goose's zero, and two
		t.Error("the application's table of migrations was written to")
	}
	if !has(t, pool, "to_regclass('outbox') IS NOT NULL AND to_regclass('river.river_job') IS NOT NULL") {
		t.Error("ours, or River's, are missing")
	}
}

// TestMigrationsInAPipeline: what a pipeline of the application's has done, Migrate takes for done, and the other way
// round. River's tables are the application's own.
func TestMigrationsInAPipeline(t *testing.T) {
	t.Parallel()
	pool := dbtest.NewEmpty(t)
	ours := newGoose(t, pool, db.Migrations(), goose.WithTableName(db.MigrationTable), goose.WithDisableGlobalRegistry(true))
	up(t, ours)
	var log logtest.Journal
	config := db.MigrateConfig{WithoutRiver: true, Logger: slog.New(slog.NewTextHandler(&log, nil))}
	if err := db.Migrate(t.Context(), pool, config); err != nil {
		t.Fatal(err)
	}
	if log.String() != "" {
		t.Errorf("migrated again:\n%s", log.String())
	}
	if has(t, pool, "EXISTS (SELECT FROM pg_namespace WHERE nspname = 'river')") {
		t.Error("River has a schema")
	}
	if _, err := ours.DownTo(t.Context(), 0); err != nil {
		t.Fatalf("on the way back: %v", err)
	}
	if !has(t, pool, "count(*) = 1 FROM pg_tables WHERE schemaname = 'public'") { // that of the migrations
		t.Error("something is left of ours")
	}
	if err := db.Migrate(t.Context(), pool, config); err != nil {
		t.Fatal(err)
	}
	if pending, err := ours.HasPending(t.Context()); pending || err != nil {
		t.Errorf("after Migrate the pipeline has something to do: %t, %v", pending, err)
	}
}
