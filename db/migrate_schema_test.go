package db_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/pressly/goose/v3"

	"github.com/claimsync/claimsync/db"
	"github.com/claimsync/claimsync/db/dbtest"
)

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
