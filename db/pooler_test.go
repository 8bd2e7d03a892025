package db_test

import (
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/claimsync/claimsync/db"
)

// What the connection string says of statements counts, also where it is what pgx does by default.
func TestWithoutSessions(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]pgx.QueryExecMode{
		"postgres://u:p@h/d":                                         pgx.QueryExecModeCacheDescribe,
		"postgres://u:p@h/d?pool_max_conns=3":                        pgx.QueryExecModeCacheDescribe,
		"postgres://u:p@h/d?default_query_exec_mode=cache_statement": pgx.QueryExecModeCacheStatement,
		"postgres://u:p@h/d?default_query_exec_mode=exec":            pgx.QueryExecModeExec,
		"host=h user=u default_query_exec_mode = 'cache_statement'":  pgx.QueryExecModeCacheStatement,
		"host=h user=u": pgx.QueryExecModeCacheDescribe,
	} {
		pool, err := db.Open(t.Context(), url, db.WithoutSessions)
		if err != nil {
			t.Fatal(err)
		}
		if got := pool.Config().ConnConfig.DefaultQueryExecMode; got != want {
			t.Errorf("%s: %s, want %s", url, got, want)
		}
		pool.Close()
	}
}
