package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"github.com/claimsync/claimsync/clerk/clerktest"
)

const pooledLine = "The database is behind a pooler"

// Everything goes through PgBouncer in transaction mode, of which nobody has told the program: migrations that meet, an
// import, changes, an outage and its end, drift and its repair, a stop and the next leader.
func TestBehindPgBouncer(t *testing.T) {
	needPgBouncer(t)
	i := install(t, 40)
	through := pooler(t, i.database)
	i.environment[0] = "DATABASE_URL=" + through
	c := &console{t, i.environment}

	var migrations errgroup.Group
	for range 3 {
		migrations.Go(func() error {
			if got := runApp(t, t.Context(), "", i.environment, "migrate"); got.code != exitOK {
				return fmt.Errorf("migrate: %+v", got)
			}
			return nil
		})
	}
	if err := migrations.Wait(); err != nil {
		t.Fatal(err)
	}
	leavesNothing(t, through)

	first := i.serve()
	i.serve()
	i.importAll()
	i.untilInStep()
	for n := range i.organizations {
		i.promote(n)
	}
	i.untilInStep()
	i.untilClean()
	if log := first.Log(); !strings.Contains(log, pooledLine) {
		t.Errorf("the log does not tell of the pooler:\n%s", log)
	}
	if sessions := leavesNothing(t, through); sessions < 2 {
		t.Errorf("the pooler has %d sessions: transactions are not spread", sessions)
	}

	i.outage(c)
	i.edited(c)

	leads := func() bool { return i.query("SELECT count(*) FROM river.river_leader") == 1 }
	c.until("one process leads", leads)
	first.Signal(syscall.SIGTERM)
	if code := first.Exit(); code != exitOK {
		t.Errorf("exit code after SIGTERM %d, want 0", code)
	}
	pushed := len(i.clerk.Writes())
	c.run(exitOK, "resync", "--all")
	c.until("the other one pushes", func() bool { return len(i.clerk.Writes()) > pushed })
	c.until("the other one leads", leads)
	leavesNothing(t, through)
	if n := i.query("SELECT count(*) FROM river.river_job WHERE errors IS NOT NULL AND cardinality(errors) > 0"); n != 0 {
		t.Errorf("%d jobs failed", n)
	}
}

// outage breaks Clerk until the breaker opens, which pauses the queue, and mends it.
func (i *installation) outage(c *console) {
	i.t.Helper()
	i.clerk.SetFaults(clerktest.Fault{Effect: clerktest.Answer, Status: 503})
	c.run(exitOK, "resync", "--all")
	c.until("the queue is paused", func() bool {
		return i.query("SELECT count(*) FROM river.river_queue WHERE paused_at IS NOT NULL") == 1
	})
	i.clerk.ClearFaults()
	i.untilInStep()
	i.untilClean()
}

// edited has somebody edit Clerk by hand, and repairs it.
func (i *installation) edited(c *console) {
	i.t.Helper()
	i.clerk.EditMetadata(*i.organizations[0].ClerkOrgID, json.RawMessage(`{"compliance_score":1}`), nil)
	c.run(exitDrift, "drift", "--repair")
	c.until("it is repaired", func() bool { return i.query("SELECT count(*) FROM outbox_delivery WHERE outcome = 'overwritten'") == 1 })
	i.untilClean()
	c.says("drift", "no drift.")
	c.says("why "+i.organizations[0].ID, "is clean")
}

// leavesNothing looks into every session that the pooler has: what is left there would be met by whoever comes next. Returns
// how many there are.
func leavesNothing(t *testing.T, through string) (looked int) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), through+"&default_query_exec_mode=simple_protocol")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	sessions := map[int]bool{}
	for range 5 * pooledConnections {
		var session int
		var left []string
		err := conn.QueryRow(t.Context(), `SELECT pg_backend_pid(), ARRAY(
			SELECT 'prepared: ' || statement FROM pg_prepared_statements
			UNION ALL SELECT 'listens: ' || pg_listening_channels()
			UNION ALL SELECT 'locked: ' || objid FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()
			UNION ALL SELECT name || ' = ' || setting FROM pg_settings
				WHERE source = 'session' AND name NOT IN ('TimeZone', 'application_name', 'client_encoding', 'DateStyle'))`).Scan(&session, &left)
		if err != nil {
			t.Fatal(err)
		}
		sessions[session] = true
		for _, what := range left {
			t.Errorf("session %d: %s", session, what)
		}
	}
	return len(sessions)
}

// Without a pooler, jobs are announced.
func TestNotBehindAPooler(t *testing.T) {
	i := install(t, 1)
	if log := i.serve().Log(); strings.Contains(log, pooledLine) {
		t.Errorf("the log tells of a pooler:\n%s", log)
	}
	if log := i.serve("--database-pooler=yes").Log(); !strings.Contains(log, pooledLine) {
		t.Errorf("the log does not tell of a pooler:\n%s", log)
	}
	i.importAll()
	i.untilInStep()
}
