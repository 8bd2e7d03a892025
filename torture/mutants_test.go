package torture

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
	"time"
)

const (
	outboxSQL = "db/dbsqlc/outbox.sql.go"
	markSQL   = "db/migrations/00016_outbox_mark.sql"
)

// mutants are programs in which one line of the protocol is missing or wrong. Package model has the same ones and more;
// these can be built.
var mutants = map[string]struct {
	edits  []edit
	caught string // by the test
	says   string // its output
}{
	"drop the fence": {
		[]edit{{
			outboxSQL,
			"AND r.lease_token = told.lease_token", "",
		}},
		"TestZombie/stopped_before_the_acknowledgement", "still not: the zombie has been told|acknowledgement was accepted",
	},
	"mark after the commit": {
		[]edit{
			{"claimsync.go", "type organizationMarker struct {", "type organizationMarker struct {\n\tpool *pgxpool.Pool"},
			{"claimsync.go", "organizationMarker{outbox: s.outbox,", "organizationMarker{pool: s.jobs.Pool, outbox: s.outbox,"},
			{
				"claimsync.go", "err := m.outbox.QueueMark(ctx, batch, m.waker, Topic, priority, changed.ClerkOrgIDs...)", `
	go func() {
		_ = pgx.BeginFunc(context.Background(), m.pool, func(tx pgx.Tx) error {
			// Waits for the caller's transaction to end.
			_, err := tx.Exec(context.Background(), "SELECT FROM organizations WHERE clerk_org_id = ANY($1) FOR UPDATE", changed.ClerkOrgIDs)
			if err != nil {
				return err
			}
			return m.outbox.MarkTx(context.Background(), tx, m.waker, Topic, priority, changed.ClerkOrgIDs...)
		})
	}()
	var err error`,
			},
		},
		"TestKilledAtEachStep/after_the_commit,_which_its_caller_does_not_learn_of", `want tier "MASTER_ROOFER"`,
	},
	"complete without the dirty check": {
		[]edit{
			{outboxSQL, "synced_version = lease_version,", "synced_version = desired_version,"},
			{outboxSQL, "dirty_since = CASE WHEN desired_version > lease_version THEN redirtied_at END,", "dirty_since = NULL,"},
		},
		"TestHot/outbox", "P1: Clerk has code",
	},
	"acknowledge together what was marked meanwhile": {
		[]edit{{outboxSQL, "AND ($9::boolean OR r.desired_version = r.lease_version)", "AND $9::boolean IS NOT NULL"}},
		"TestHot/outbox", "rows that a sweep had to wake: [1-9]",
	},
	"insert only when no job row exists": {
		[]edit{
			{markSQL, "job_id = CASE WHEN o.job_id IS NULL OR o.job_priority > mark_priority AND o.lease_token IS NULL", `job_id = CASE
				WHEN mark_priority = 1 AND NOT EXISTS (SELECT FROM river.river_job AS j
					WHERE j.args ->> 'key' = o.key AND j.finalized_at IS NULL)`},
			{"outbox/acknowledge.go", "case acknowledged.StillDirty:", "case false:"},
		},
		"TestHot/outbox", "rows that a sweep had to wake: [1-9]",
	},
	"sweep without the lease check": {
		[]edit{{
			outboxSQL,
			"o.dirty_since IS NOT NULL AND o.parked_at IS NULL\n    AND (o.lease_expires_at IS NULL OR o.lease_expires_at <= clock_timestamp())",
			"o.dirty_since IS NOT NULL AND o.parked_at IS NULL",
		}},
		"TestWakeUpsDuringAPush/its_job_is_deleted", "a sweep inserted",
	},
	"claim without the lease check": {
		[]edit{{outboxSQL, "WHEN o.lease_expires_at > clock_timestamp() THEN 'leased'", ""}},
		"TestWakeUpsDuringAPush/its_job_is_retried", "P3: 2 pushes were in flight",
	},
	"no verification": {
		[]edit{{outboxSQL, "\n    AND o.verify_at <= clock_timestamp() AND o.dirty_since IS NULL", "\n    AND false"}},
		"TestZombie/stopped_while_its_push_is_under_way", "still not: what was under way has landed",
	},
	"no sweep": {
		[]edit{{"jobs/maintainer.go", "m.sweep(ctx, topic), ", ""}},
		"TestKilledAtEachStep/after_the_claim", "still not: every change is pushed",
	},
	"complete without acknowledging": {
		[]edit{{"jobs/settle.go", "lag, err := acknowledge(ctx)", "lag, err := time.Duration(0), error(nil)\n\t_ = acknowledge"}},
		"TestHot/outbox", "still not: settled",
	},
}

// A line that a mutant lacks is still there to be left out.
func TestMutantsCanBeMade(t *testing.T) {
	t.Parallel()
	for name, mutant := range mutants {
		if _, err := writeOverlay(filepath.Join(t.TempDir(), "src"), mutant.edits); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Every mutant is caught by the test that is about it: the tests see what they are there to see.
func TestMutants(t *testing.T) {
	fullOnly(t)
	for name, mutant := range mutants {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := editedProgram(t, name, mutant.edits...)
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
			defer cancel()
			begun := time.Now()
			command := exec.CommandContext(ctx, os.Args[0], "-test.run=^"+regexp.MustCompile(`/`).ReplaceAllString(mutant.caught, "$$/^")+"$",
				"-test.timeout=2m", "-program="+path)
			output, err := command.CombinedOutput()
			if err == nil {
				t.Fatalf("%s does not catch it:\n%s", mutant.caught, output)
			}
			if !regexp.MustCompile(mutant.says).Match(output) {
				t.Fatalf("%s fails, but does not say %q:\n%s", mutant.caught, mutant.says, output)
			}
			t.Logf("caught by %s after %s", mutant.caught, time.Since(begun).Round(time.Second))
		})
	}
}
