package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/claimsync/claimsync/clerk/clerktest"
	"github.com/claimsync/claimsync/db/dbtest"
	"github.com/claimsync/claimsync/internal/pgbouncer"
)

// pooledConnections are fewer than there are workers.
const pooledConnections = 6

const pooledLine = "The database is behind a pooler"

// Everything goes through PgBouncer in transaction mode, of which nobody has told the program: migrations that meet, an
// import, changes, an outage and its end, drift and its repair, foreign writers, renewal, a stop and the next leader.
func TestBehindPgBouncer(t *testing.T) {
	pgbouncer.Need(t)
	i := install(t, 40)
	through := pgbouncer.Start(t, i.database, pooledConnections)
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
	pgbouncer.LeavesNothing(t, through, pooledConnections)

	first := i.serve("--claims-renew-every=24h")
	i.serve("--claims-renew-every=24h")
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
	if sessions := pgbouncer.LeavesNothing(t, through, pooledConnections); sessions < 2 {
		t.Errorf("the pooler has %d sessions: transactions are not spread", sessions)
	}

	i.outage(c)
	i.foreign(c, through)
	i.edited(c)
	i.renewed(c)

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
	pgbouncer.LeavesNothing(t, through, pooledConnections)
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

// foreign has others write through the pooler too, in sessions that are claimsync's a moment later.
func (i *installation) foreign(c *console, through string) {
	i.t.Helper()
	c.says("triggers install", "organizations installed", "insurance_policies installed")
	if i.query("SELECT count(*) FROM organizations WHERE insurance_valid") == 0 {
		i.t.Fatal("nobody is insured: the test proves nothing")
	}
	executeSQL(i.t, through, "DELETE FROM insurance_policies")
	executeSQL(i.t, through, "UPDATE organizations SET certification_tier = 'CERTIFIED' WHERE certification_tier <> 'CERTIFIED'")
	c.until("nobody is insured", func() bool { return i.query("SELECT count(*) FROM organizations WHERE insurance_valid") == 0 })
	c.until("no change waits", func() bool { return i.query("SELECT count(*) FROM organization_change") == 0 })
	i.untilInStep()
	i.untilClean()
}

// renewed lets all pushes become old, and has them renewed.
func (i *installation) renewed(c *console) {
	i.t.Helper()
	before := len(i.clerk.Writes())
	i.exec("UPDATE outbox SET synced_at = clock_timestamp() - interval '19 h'")
	i.exec(`INSERT INTO backfill (kind, total, started_at) SELECT 'renew', count(*), clock_timestamp() - interval '3 h' FROM organizations
		ON CONFLICT (kind) DO UPDATE SET started_at = EXCLUDED.started_at, after_id = '', done = 0, changed = 0, finished_at = NULL`)
	c.until("all are renewed", func() bool {
		return i.query(`SELECT count(*) FROM outbox JOIN organizations ON clerk_org_id = key
			WHERE synced_at < clock_timestamp() - interval '1 h'`) == 0
	})
	i.untilClean()
	if len(i.clerk.Writes()) == before {
		i.t.Error("nothing was pushed")
	}
}

// A pooler that has too few connections for a migration does not keep it waiting for ever.
func TestMigrateBehindSmallPooler(t *testing.T) {
	t.Parallel()
	pgbouncer.Need(t)
	for connections, want := range map[int]int{1: exitFailed, 2: exitFailed, 3: exitOK} {
		t.Run(fmt.Sprint(connections), func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			environment := []string{"DATABASE_URL=" + pgbouncer.Start(t, dbtest.EmptyURL(t), connections)}
			got := runApp(t, ctx, "", environment, "migrate")
			if got.code != want || want != exitOK && !strings.Contains(got.stderr, "migrating takes three connections at once") {
				t.Errorf("%+v", got)
			}
		})
	}
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
