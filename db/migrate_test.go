package db_test

import (
	"context"
	"crypto/rand"
	"database/sql"
	"io/fs"
	"log/slog"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/jackc/pgx/v5"
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

// withSearchPath is a pool whose connections look for names there.
func withSearchPath(t *testing.T, url, path string) *pgxpool.Pool {
	t.Helper()
	pool, err := db.Open(t.Context(), url, func(config *pgxpool.Config) {
		config.ConnConfig.RuntimeParams["search_path"] = path
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

// TestMigrateInASchemaOfOurOwn: where names are taken, a search path keeps us apart. The application's pipeline goes on by
// the connection string that it had, and does nothing again.
func TestMigrateInASchemaOfOurOwn(t *testing.T) {
	t.Parallel()
	url := dbtest.EmptyURL(t)
	before, shared := withSearchPath(t, url, "public"), withSearchPath(t, url, "claimsync,public")
	theirs := fstest.MapFS{"00001_taken.sql": {Data: []byte(`-- +goose Up
		CREATE TABLE outbox (mail text);
		CREATE TYPE member_role AS ENUM ('CHAIR');
		INSERT INTO outbox VALUES ('once');
	`)}}
	pipeline := func() *goose.Provider {
		return newGoose(t, before, theirs, goose.WithDisableGlobalRegistry(true))
	}
	up(t, pipeline())
	exec(t, before, "CREATE SCHEMA claimsync")
	if err := db.Migrate(t.Context(), shared, db.MigrateConfig{}); err != nil {
		t.Fatal(err)
	}
	if pending, err := pipeline().HasPending(t.Context()); pending || err != nil {
		t.Errorf("the application's pipeline has something to do: %t, %v", pending, err)
	}
	up(t, pipeline())
	if !has(t, before, "(SELECT count(*) FROM pg_tables WHERE schemaname = 'public') = 2 AND (SELECT count(*) FROM outbox) = 1") {
		t.Error("something of ours is in public, or something of the application's twice")
	}
	for _, ours := range []string{"outbox", "claimsync_migration"} {
		if !has(t, shared, "to_regclass('"+ours+"') = to_regclass('claimsync."+ours+"')") {
			t.Errorf("%s is not in our schema", ours)
		}
	}
	if !has(t, shared, "'OWNER'::member_role IS NOT NULL AND 'CHAIR'::public.member_role IS NOT NULL") {
		t.Error("the types meet")
	}
}

// TestMigrateNeedsItsSchema: PostgreSQL passes over a schema that is not there, and ours would be where nobody expects them.
func TestMigrateNeedsItsSchema(t *testing.T) {
	t.Parallel()
	url := dbtest.EmptyURL(t)
	plain := withSearchPath(t, url, "public")
	for path, first := range map[string]string{
		"claimsync,public": "claimsync", `"Claims, ours" , public`: `"Claims, ours"`, "claimsync": "claimsync", `""`: "",
	} {
		err := db.Migrate(t.Context(), withSearchPath(t, url, path), db.MigrateConfig{})
		if err == nil || !strings.Contains(err.Error(), "CREATE SCHEMA "+first) {
			t.Errorf("with %s: %v", path, err)
		}
	}
	if !has(t, plain, "count(*) = 0 FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')") {
		t.Error("something was migrated")
	}
	exec(t, plain, `CREATE SCHEMA "Claims, ours"`)
	if err := db.Migrate(t.Context(), withSearchPath(t, url, `"Claims, ours" , public`), db.MigrateConfig{}); err != nil {
		t.Error(err)
	}
}

// TestMigrateWithoutCreateOnTheDatabase: River's schema is there, made for a role that may create none.
func TestMigrateWithoutCreateOnTheDatabase(t *testing.T) {
	t.Parallel()
	url := dbtest.EmptyURL(t)
	admin := withSearchPath(t, url, "public")
	role := "claimsync_test_" + strings.ToLower(rand.Text()[:16])
	exec(t, admin, "CREATE ROLE "+role)
	t.Cleanup(func() {
		for _, sql := range []string{"DROP OWNED BY ", "DROP ROLE "} {
			if _, err := admin.Exec(context.Background(), sql+role); err != nil {
				t.Error(err)
			}
		}
	})
	exec(t, admin, "CREATE SCHEMA river; CREATE SCHEMA claimsync; GRANT ALL ON SCHEMA river, claimsync TO "+role)
	pool, err := db.Open(t.Context(), url, func(config *pgxpool.Config) {
		config.AfterConnect = func(ctx context.Context, conn *pgx.Conn) error {
			_, err := conn.Exec(ctx, "SET ROLE "+role+"; SET search_path = claimsync")
			return err
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	if _, err := pool.Exec(t.Context(), "CREATE SCHEMA another"); db.Code(err) != "42501" {
		t.Fatalf("the role may create schemas: %v", err)
	}
	if err := db.Migrate(t.Context(), pool, db.MigrateConfig{}); err != nil {
		t.Error(err)
	}
}

// TestMigrateConnectsAsThePool: which may do something before, and after.
func TestMigrateConnectsAsThePool(t *testing.T) {
	t.Parallel()
	config, err := db.Config(dbtest.EmptyURL(t))
	if err != nil {
		t.Fatal(err)
	}
	password := config.ConnConfig.Password
	user := config.ConnConfig.User
	config.ConnConfig.User = "nobody_of_that_name"
	config.BeforeConnect = func(_ context.Context, conn *pgx.ConnConfig) error {
		conn.User, conn.Password = user, password
		return nil
	}
	settled := 0
	config.AfterConnect = func(ctx context.Context, conn *pgx.Conn) error {
		settled++
		_, err := conn.Exec(ctx, "SET application_name = 'after'")
		return err
	}
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	if err := db.Migrate(t.Context(), pool, db.MigrateConfig{}); err != nil {
		t.Fatal(err)
	}
	if settled < 2 {
		t.Errorf("%d connections were set up as the pool's are, want that of the lock too", settled)
	}
}
