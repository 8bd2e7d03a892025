package db_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/claimsync/claimsync/db"
	"github.com/claimsync/claimsync/db/dbtest"
)

// upTo are the versions from 1 to n.
func upTo(n int64) (versions []int64) {
	for version := range n {
		versions = append(versions, version+1)
	}
	return versions
}

// Looking at an empty database finds that everything is missing, and leaves it empty.
func TestMigrationsOfEmptyDatabase(t *testing.T) {
	t.Parallel()
	pool := dbtest.NewEmpty(t)
	own, err := db.OwnMigrations(t.Context(), pool)
	if err != nil || len(own.Applied) > 0 || len(own.Unknown) > 0 || !slices.Equal(own.Missing, upTo(int64(len(own.Missing)))) ||
		len(own.Missing) < 11 {
		t.Errorf("own: %+v, %v", own, err)
	}
	for _, schema := range []string{"river", "jobs"} {
		river, err := db.RiverMigrations(t.Context(), pool, schema)
		if err != nil || len(river.Applied) > 0 || len(river.Missing) < 6 {
			t.Errorf("River's in schema %q: %+v, %v", schema, river, err)
		}
	}
	var tables int
	if err := pool.QueryRow(t.Context(), `SELECT count(*) FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
		WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')`).Scan(&tables); err != nil || tables > 0 {
		t.Errorf("%d tables were made, %v", tables, err)
	}
}

func TestMigrations(t *testing.T) {
	t.Parallel()
	pool := dbtest.New(t)
	ctx := t.Context()
	whole, err := db.OwnMigrations(ctx, pool)
	newest := int64(len(whole.Applied))
	if want := (db.MigrationState{Applied: upTo(newest)}); err != nil || !equal(want, whole) || newest < 11 {
		t.Errorf("migrated: %+v, %v", whole, err)
	}
	river, err := db.RiverMigrations(ctx, pool, "river")
	if err != nil || len(river.Missing) > 0 || len(river.Unknown) > 0 || len(river.Applied) < 6 {
		t.Errorf("River's: %+v, %v", river, err)
	}
	for _, sql := range []string{
		"DELETE FROM claimsync_migration WHERE version_id = 3",
		"INSERT INTO claimsync_migration (version_id, is_applied) VALUES (9001, true)",
		"INSERT INTO river.river_migration (line, version) VALUES ('main', 9001)",
	} {
		if _, err := pool.Exec(ctx, sql); err != nil {
			t.Fatal(err)
		}
	}
	own, err := db.OwnMigrations(ctx, pool)
	if err != nil || !slices.Equal(own.Missing, []int64{3}) || !slices.Equal(own.Unknown, []int64{9001}) {
		t.Errorf("one missing, one of a newer program: %+v, %v", own, err)
	}
	if river, err = db.RiverMigrations(ctx, pool, "river"); err != nil || !slices.Equal(river.Unknown, []int64{9001}) {
		t.Errorf("River's of a newer program: %+v, %v", river, err)
	}
}

func equal(a, b db.MigrationState) bool {
	return slices.Equal(a.Applied, b.Applied) && slices.Equal(a.Missing, b.Missing) && slices.Equal(a.Unknown, b.Unknown)
}

// Tables has all that the migrations make.
func TestTables(t *testing.T) {
	t.Parallel()
	pool := dbtest.New(t)
	rows, err := pool.Query(t.Context(), `SELECT tablename::text FROM pg_tables
		WHERE schemaname = current_schema() AND tablename <> 'claimsync_migration' ORDER BY tablename`)
	if err != nil {
		t.Fatal(err)
	}
	want, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	got, err := db.Tables()
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("(-want +got): %v\n%s", err, diff)
	}
}
