package db_test

import (
	"slices"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/claimsync/claimsync/db/dbtest"
)

// restriction is what a row has to satisfy: a constraint, a unique index, a key that refers to it.
type restriction struct {
	Table   string
	Columns []string // that it is about; none: about whatever the table has
	Text    string
}

// shape is what old programs know of the tables, and what restricts them.
type shape struct {
	tables, columns []string // columns as table.column
	restrictions    []restriction
}

func shapeOf(t *testing.T, pool *pgxpool.Pool) shape {
	t.Helper()
	rows, _ := pool.Query(t.Context(), `
		WITH t AS (SELECT oid, relname::text AS name FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r')
		SELECT name, ARRAY(SELECT attname::text FROM pg_attribute WHERE attrelid = conrelid AND attnum = ANY(conkey)),
			pg_get_constraintdef(o.oid)
		FROM pg_constraint AS o JOIN t ON t.oid = conrelid WHERE contype IN ('c', 'f', 'x')
		UNION ALL
		-- A column with a default has the same in all rows of those that do not know it; an expression is of nobody knows what.
		SELECT name, ARRAY(SELECT COALESCE(attname || CASE WHEN atthasdef THEN ' by default' ELSE '' END, 'an expression')
			FROM unnest(indkey::int2[]) AS n LEFT JOIN pg_attribute ON attrelid = indrelid AND attnum = n), pg_get_indexdef(indexrelid)
		FROM pg_index JOIN t ON t.oid = indrelid WHERE indisunique
		UNION ALL
		SELECT name, ARRAY[attname::text], attname || ' NOT NULL'
		FROM pg_attribute JOIN t ON t.oid = attrelid WHERE attnum > 0 AND NOT attisdropped AND attnotnull
		UNION ALL
		-- What refers to a row, and does not go with it, keeps it from being deleted.
		SELECT name, '{}', 'is referred to by ' || conrelid::regclass || ': ' || pg_get_constraintdef(o.oid)
		FROM pg_constraint AS o JOIN t ON t.oid = confrelid WHERE contype = 'f' AND confdeltype IN ('a', 'r')`)
	restrictions, err := pgx.CollectRows(rows, pgx.RowToStructByPos[restriction])
	if err != nil {
		t.Fatal(err)
	}
	return shape{
		tables: strs(t, pool, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"),
		columns: strs(t, pool, `SELECT relname || '.' || attname FROM pg_attribute JOIN pg_class AS c ON c.oid = attrelid
			WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND attnum > 0 AND NOT attisdropped`),
		restrictions: restrictions,
	}
}

// tightened are the restrictions that a program may run into who knows the tables as they were: those that are about
// something else than columns which it leaves alone.
func (before shape) tightened(now shape) (found []string) {
	for _, r := range now.restrictions {
		known := func(other restriction) bool { return other.Table == r.Table && other.Text == r.Text }
		if !slices.Contains(before.tables, r.Table) || slices.ContainsFunc(before.restrictions, known) {
			continue
		}
		unknown := func(column string) bool {
			return slices.Contains(now.columns, r.Table+"."+column) && !slices.Contains(before.columns, r.Table+"."+column)
		}
		if len(r.Columns) == 0 || slices.ContainsFunc(r.Columns, func(column string) bool { return !unknown(column) }) {
			found = append(found, r.Table+": "+r.Text)
		}
	}
	return found
}

// What TestMigrationsOnlyAdd would find in a migration, and what not.
func TestRestrictionsAreFound(t *testing.T) {
	t.Parallel()
	for sql, want := range map[string]int{
		"ALTER TABLE organizations ADD CHECK (name <> '')":                                        1,
		"ALTER TABLE organizations ADD CHECK (name <> '') NOT VALID":                              1,
		"ALTER TABLE organizations ADD UNIQUE (name)":                                             1,
		"CREATE UNIQUE INDEX ON organizations (lower(name))":                                      1,
		"CREATE UNIQUE INDEX ON documents (organization_id) WHERE status = 'DRAFT'":               1,
		"ALTER TABLE clerk_event ADD FOREIGN KEY (id) REFERENCES organizations":                   2, // and of the organization
		"ALTER TABLE clerk_event ADD FOREIGN KEY (id) REFERENCES organizations ON DELETE CASCADE": 1,
		"ALTER TABLE organizations ALTER clerk_org_id SET NOT NULL":                               1,
		"ALTER TABLE organizations ADD colour text DEFAULT '' UNIQUE":                             1,
		"ALTER TABLE organizations ADD colour text, ADD CHECK (colour <> name)":                   1,
		"CREATE TABLE badge (id text PRIMARY KEY REFERENCES organizations)":                       1,

		"CREATE TABLE badge (id text PRIMARY KEY REFERENCES organizations ON DELETE CASCADE)": 0,
		"ALTER TABLE organizations ADD colour text UNIQUE CHECK (colour <> '')":               0,
		"ALTER TABLE organizations ADD colour text NOT NULL DEFAULT 'red'":                    0,
		"CREATE INDEX ON organizations (name)":                                                0,
	} {
		t.Run(sql, func(t *testing.T) {
			t.Parallel()
			pool := dbtest.New(t)
			before := shapeOf(t, pool)
			exec(t, pool, sql)
			if got := before.tightened(shapeOf(t, pool)); len(got) != want {
				t.Errorf("found %q, want %d", got, want)
			}
		})
	}
}
