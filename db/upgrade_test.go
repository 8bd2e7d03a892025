package db_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/claimsync/claimsync/db/dbtest"
)

// relied is what a program relies on: columns with their types, values of enums, functions, unique keys.
func relied(t *testing.T, pool *pgxpool.Pool) []string {
	t.Helper()
	return strs(t, pool, `
		SELECT format('column %s.%s %s', c.relname, a.attname, format_type(a.atttypid, a.atttypmod)) FROM pg_attribute AS a
		JOIN pg_class AS c ON c.oid = a.attrelid AND c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace
		WHERE a.attnum > 0 AND NOT a.attisdropped
		UNION ALL
		SELECT format('value %s of %s', e.enumlabel, t.typname) FROM pg_enum AS e JOIN pg_type AS t ON t.oid = e.enumtypid
		UNION ALL
		SELECT format('function %s(%s)', p.proname, pg_get_function_identity_arguments(p.oid)) FROM pg_proc AS p
		WHERE p.pronamespace = 'public'::regnamespace
		UNION ALL
		SELECT format('key %s', pg_get_indexdef(indexrelid)) FROM pg_index
		JOIN pg_class AS c ON c.oid = indrelid AND c.relnamespace = 'public'::regnamespace WHERE indisunique
		ORDER BY 1`)
}

// demanded are the columns that whoever inserts a row has to give.
func demanded(t *testing.T, pool *pgxpool.Pool) []string {
	t.Helper()
	return strs(t, pool, `
		SELECT c.relname || '.' || a.attname FROM pg_attribute AS a
		JOIN pg_class AS c ON c.oid = a.attrelid AND c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace
		WHERE a.attnum > 0 AND NOT a.attisdropped AND a.attnotnull AND NOT a.atthasdef AND a.attidentity = ''`)
}

// Processes of the version before go on while a newer one migrates: no migration takes away what they rely on, or demands
// what they do not give, or restricts what they write. 00003 is from before there was a version to run beside.
func TestMigrationsOnlyAdd(t *testing.T) {
	t.Parallel()
	pool := dbtest.NewEmpty(t)
	var relies, demands []string
	var before shape
	for _, version := range versions(t) {
		migrateTo(t, pool, version)
		shaped := shapeOf(t, pool)
		for _, what := range before.tightened(shaped) {
			// What 00015 demands of the outbox's rows was demanded before: TestOutboxValid.
			if version > 3 && !(version == 15 && what == "outbox: CHECK (outbox_valid(outbox.*))") {
				t.Errorf("migration %d restricts %s", version, what)
			}
		}
		now, demandsNow := relied(t, pool), demanded(t, pool)
		for _, what := range relies {
			if !slices.Contains(now, what) {
				t.Errorf("migration %d takes away: %s", version, what)
			}
		}
		for _, column := range demandsNow {
			table, _, _ := strings.Cut(column, ".")
			if slices.Contains(before.tables, table) && !slices.Contains(demands, column) {
				t.Errorf("migration %d demands %s", version, column)
			}
		}
		relies, demands, before = now, demandsNow, shaped
	}
	if len(relies) < 150 || len(demands) < 20 || len(before.restrictions) < 100 {
		t.Errorf("only %d things are relied on, %d demanded, and %d restrictions", len(relies), len(demands), len(before.restrictions))
	}
}
