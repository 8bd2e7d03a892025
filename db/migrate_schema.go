package db

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// checkSearchPath refuses a search path whose first schema is not there, or not for us to use: PostgreSQL passes over it,
// and our tables would be in the next one. "$user", first in PostgreSQL's own default, is there for some only.
func checkSearchPath(ctx context.Context, pool *pgxpool.Pool) error {
	const query = `SELECT path, first, first IN ('"$user"', '$user')
			OR to_regnamespace(first) = to_regnamespace(quote_ident(current_schema()))
		FROM current_setting('search_path') AS path, substring(path from '^\s*("(?:[^"]|"")*"|[^,\s]*)') AS first`
	var path, first string
	var usable *bool // nil: there is none
	if err := pool.QueryRow(ctx, query).Scan(&path, &first, &usable); err != nil {
		return fmt.Errorf("looking at the search path: %w", err)
	}
	if usable == nil || !*usable {
		return fmt.Errorf("the search path is %q, and its first schema is not there or not for this role to use: "+
			"CREATE SCHEMA %s, or name another", path, first)
	}
	return nil
}

// createSchema creates it if it is missing, and only then: IF NOT EXISTS is refused to a role that may not create any, also
// where there is nothing to create.
func createSchema(ctx context.Context, pool *pgxpool.Pool, name string) error {
	var there bool
	const query = "SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1)"
	if err := pool.QueryRow(ctx, query, name).Scan(&there); err != nil || there {
		return err
	}
	_, err := pool.Exec(ctx, "CREATE SCHEMA IF NOT EXISTS "+pgx.Identifier{name}.Sanitize())
	return err
}
