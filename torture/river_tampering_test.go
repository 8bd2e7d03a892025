package torture

import (
	"context"
	"errors"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river/rivertype"

	"github.com/claimsync/claimsync/clerk/clerktest"
)

// tamperers are what an operator may do to a job, by River UI or by SQL. Each tells whether it did anything.
var tamperers = map[string]func(ctx context.Context, f *fleet, id int64) (bool, error){
	"cancel": func(ctx context.Context, f *fleet, id int64) (bool, error) {
		_, err := f.river.JobCancel(ctx, id)
		return tampered(err)
	},
	"delete": func(ctx context.Context, f *fleet, id int64) (bool, error) {
		_, err := f.river.JobDelete(ctx, id)
		return tampered(err)
	},
	"retry": func(ctx context.Context, f *fleet, id int64) (bool, error) {
		_, err := f.river.JobRetry(ctx, id)
		return tampered(err)
	},
	"cancel by SQL": tamperBySQL(`UPDATE river.river_job SET state = 'cancelled', finalized_at = now() WHERE id = $1
		AND finalized_at IS NULL`),
	"discard by SQL": tamperBySQL(`UPDATE river.river_job SET state = 'discarded', finalized_at = now() WHERE id = $1
		AND finalized_at IS NULL`),
	"delete by SQL": tamperBySQL(`DELETE FROM river.river_job WHERE id = $1`), // also a running one
	"retry by SQL": tamperBySQL(`UPDATE river.river_job SET state = 'available', scheduled_at = now(), finalized_at = NULL
		WHERE id = $1`), // also a running one, which then runs twice
	"postpone by SQL": tamperBySQL(`UPDATE river.river_job SET state = 'scheduled', scheduled_at = now() + interval '1 hour'
		WHERE id = $1 AND state <> 'running' AND finalized_at IS NULL`),
}

// tampered takes River's refusals for what they are: the job was gone, or is running.
func tampered(err error) (bool, error) {
	if errors.Is(err, rivertype.ErrNotFound) || errors.Is(err, rivertype.ErrJobRunning) {
		return false, nil
	}
	return err == nil, err
}

func tamperBySQL(sql string) func(ctx context.Context, f *fleet, id int64) (bool, error) {
	return func(ctx context.Context, f *fleet, id int64) (bool, error) {
		tag, err := f.pool.Exec(ctx, sql, id)
		return tag.RowsAffected() > 0, err
	}
}

// Jobs are cancelled, deleted, discarded, retried and postponed at random. Since rows are the truth, this costs seconds
// and no update.
func TestJobsAreTamperedWith(t *testing.T) {
	t.Parallel()
	seed := seed(t)
	f := newFleet(t, 40)
	f.clerk.SetFaults( // so that jobs are met waiting, and running
		clerktest.Fault{Effect: clerktest.Answer, Status: 503, Probability: 0.1},
		clerktest.Fault{Latency: 100 * time.Millisecond})
	processes := f.startMany(2, processConfig{})
	l := f.write(workload{writers: 8, pause: 10 * time.Millisecond, rolledBack: 0.1, several: 0.1}, seed)
	done := f.tamper(sized(5*time.Second, 30*time.Second), rand.New(rand.NewPCG(seed, 0)))
	over := time.Now()
	l.stop()
	f.clerk.ClearFaults()
	pushed := f.untilAllPushed(over)
	got := f.judge(tolerance{})
	t.Logf("%d changes; %v; %d rows woken by sweeps; %d pushes, %d duplicates, %d verifications", got.changes, done,
		swept(processes), got.pushes, got.duplicates, got.verifications)
	bound(t, "every change pushed after the tampering", pushed, 10*time.Second)
	bound(t, "versions that went backwards", got.backwards, 0)
	bound(t, "most pushes of one organization in flight", got.inFlight, 1)
}

// tamper does something to a job a hundred times a second, and everything there is at least once. Returns what it did
// how often.
func (f *fleet) tamper(lasting time.Duration, random *rand.Rand) map[string]int {
	f.t.Helper()
	hows := slices.Sorted(maps.Keys(tamperers)) // so that the seed decides
	done := map[string]int{}
	f.forAtLeast(lasting, func() bool {
		id, found := f.someJob(random)
		if !found {
			return false
		}
		how := hows[random.IntN(len(hows))]
		did, err := tamperers[how](f.t.Context(), f, id)
		if err != nil {
			f.t.Fatalf("%s: %v", how, err)
		}
		if did {
			f.attacked.note("job %d: %s", id, how)
			done[how]++
		}
		return len(done) == len(tamperers)
	})
	return done
}

// someJob picks one of the latest jobs, most often one that is not done.
func (f *fleet) someJob(random *rand.Rand) (id int64, found bool) {
	f.t.Helper()
	err := f.pool.QueryRow(f.t.Context(), `
		SELECT id FROM (
			SELECT id, finalized_at FROM river.river_job WHERE kind = 'outbox_delivery' ORDER BY id DESC LIMIT 100
		) AS latest
		ORDER BY finalized_at IS NOT NULL AND $1, md5(id::text || $2::bigint) LIMIT 1`,
		random.Float64() < 0.9, random.Int64()).Scan(&id)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		f.t.Fatal(err)
	}
	return id, err == nil
}
