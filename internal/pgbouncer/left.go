package pgbouncer

import (
	"testing"

	"github.com/jackc/pgx/v5"
)

// left is what somebody left in a session, by which of them it is.
const left = `SELECT pg_backend_pid(), ARRAY(
	SELECT 'prepared: ' || statement FROM pg_prepared_statements
	UNION ALL SELECT 'listens: ' || pg_listening_channels()
	UNION ALL SELECT 'locked: ' || objid FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()
	UNION ALL SELECT name || ' = ' || setting FROM pg_settings
		WHERE source = 'session' AND name NOT IN ('TimeZone', 'application_name', 'client_encoding', 'DateStyle'))`

// LeavesNothing looks into every session that the pooler has: what is left there would be met by whoever comes next.
// Returns how many there are.
func LeavesNothing(t testing.TB, through string, connections int) (looked int) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), through+"&default_query_exec_mode=simple_protocol")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	seen := map[int]bool{}
	for range 5 * connections {
		var session int
		var found []string
		if err := conn.QueryRow(t.Context(), left).Scan(&session, &found); err != nil {
			t.Fatal(err)
		}
		seen[session] = true
		for _, what := range found {
			t.Errorf("session %d: %s", session, what)
		}
	}
	return len(seen)
}
