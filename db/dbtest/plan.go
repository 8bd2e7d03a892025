package dbtest

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Plan returns how PostgreSQL would run the query, as EXPLAIN says it.
func Plan(t testing.TB, pool *pgxpool.Pool, query string, args ...any) string {
	t.Helper()
	return explain(t, pool, "EXPLAIN ", query, args)
}

// PlanRun is Plan of a query that is run, so that it says how many rows were read.
func PlanRun(t testing.TB, pool *pgxpool.Pool, query string, args ...any) string {
	t.Helper()
	return explain(t, pool, "EXPLAIN (ANALYZE, TIMING OFF) ", query, args)
}

func explain(t testing.TB, pool *pgxpool.Pool, explain, query string, args []any) string {
	t.Helper()
	rows, err := pool.Query(t.Context(), explain+query, args...)
	if err != nil {
		t.Fatal(err)
	}
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(lines, "\n")
}
