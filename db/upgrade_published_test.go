package db_test

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/claimsync/claimsync/db"
	"github.com/claimsync/claimsync/db/dbtest"
)

// 00006 was written anew after it was published, to keep nobody from writing. Where the one before was applied, the tables
// and what is in them are the same.
func TestPublishedMigration(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/00006_as_published.sql")
	if err != nil {
		t.Fatal(err)
	}
	up, _, _ := strings.Cut(string(text), "-- +goose Down")
	fresh, before := dbtest.NewEmpty(t), dbtest.NewEmpty(t)
	for _, pool := range []*pgxpool.Pool{fresh, before} {
		migrateTo(t, pool, 2)
		populate(t, pool, 2500) // more than two batches
		migrateTo(t, pool, 5)
	}
	exec(t, before, up)
	exec(t, before, "INSERT INTO claimsync_migration (version_id, is_applied) VALUES (6, true)")
	for _, pool := range []*pgxpool.Pool{fresh, before} {
		migrate(t, pool)
	}
	if diff := cmp.Diff(schema(t, before), schema(t, fresh)); diff != "" {
		t.Errorf("as published (-), and now (+):\n%s", diff)
	}
	for _, pool := range []*pgxpool.Pool{fresh, before} {
		checkInsuredUntil(t, pool)
	}
	state, err := db.OwnMigrations(t.Context(), before)
	if err != nil || len(state.Missing)+len(state.Unknown) > 0 {
		t.Errorf("%+v, %v", state, err)
	}
}

// schema is all there is to know of the tables but what is in them.
func schema(t *testing.T, pool *pgxpool.Pool) []string {
	t.Helper()
	return strs(t, pool, `
		WITH c AS (SELECT * FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r')
		SELECT format('%s: %s', relname, reloptions) FROM c
		UNION ALL
		SELECT format('%s.%s %s, not null: %s, default %s', relname, attname, format_type(atttypid, atttypmod), attnotnull,
			pg_get_expr(adbin, adrelid))
		FROM c JOIN pg_attribute AS a ON attrelid = c.oid LEFT JOIN pg_attrdef ON adrelid = c.oid AND adnum = attnum
		WHERE attnum > 0 AND NOT attisdropped
		UNION ALL
		SELECT format('%s: %s %s', relname, conname, pg_get_constraintdef(o.oid)) FROM c JOIN pg_constraint AS o ON conrelid = c.oid
		UNION ALL
		SELECT format('%s, valid: %s', pg_get_indexdef(indexrelid), indisvalid) FROM c JOIN pg_index ON indrelid = c.oid
		ORDER BY 1`)
}

func strs(t testing.TB, pool *pgxpool.Pool, sql string) []string {
	t.Helper()
	rows, _ := pool.Query(t.Context(), sql) // its error is in rows
	all, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return all
}
