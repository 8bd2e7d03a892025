package db

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// IsPooled reports whether there is a pooler between us and PostgreSQL, such as PgBouncer: it makes up the process id that
// it tells its clients, since no process of the server's is theirs. In transaction mode each transaction may then run in
// another session, in which nothing can be left: no prepared statement, no LISTEN, no lock. What cannot be told is the
// mode.
func IsPooled(ctx context.Context, pool *pgxpool.Pool) (bool, error) {
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return false, err
	}
	defer conn.Release()
	var pid uint32
	// Nor by a prepared statement does one ask for that.
	err = conn.QueryRow(ctx, "SELECT pg_backend_pid()", pgx.QueryExecModeExec).Scan(&pid)
	return pid != conn.Conn().PgConn().PID(), err
}

// WithoutSessions is an edit for Open that makes a pool leave nothing in a session, for a pooler in transaction mode:
// statements are not prepared on the server, but parsed and planned each time. The types of their arguments and results
// are asked for once. What the connection string says itself (default_query_exec_mode) is left as it is, also if that is
// cache_statement: PgBouncer from 1.21 on keeps track of prepared statements, if max_prepared_statements is set.
func WithoutSessions(config *pgxpool.Config) {
	chosen := hasParam(config.ConnString(), "default_query_exec_mode")
	if !chosen && config.ConnConfig.DefaultQueryExecMode == pgx.QueryExecModeCacheStatement {
		config.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeCacheDescribe
	}
}
