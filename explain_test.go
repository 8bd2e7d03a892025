package claimsync_test

import (
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"github.com/claimsync/claimsync"
	"github.com/claimsync/claimsync/db"
	"github.com/claimsync/claimsync/db/dbtest"
	"github.com/claimsync/claimsync/jobs"
	"github.com/claimsync/claimsync/outbox"
	"github.com/claimsync/claimsync/scoring"
)

// desk is where somebody asks why, on a database of its own: the tests are the workers.
type desk struct {
	t     *testing.T
	pool  *pgxpool.Pool
	sync  *claimsync.Sync
	river *river.Client[pgx.Tx]
	waker jobs.Waker
	store *scoring.Store
}

func newDesk(t *testing.T, organizationRateLimit int) *desk {
	t.Helper()
	pool := dbtest.New(t)
	sync, err := claimsync.New(claimsync.Config{Pool: pool, OrganizationRateLimit: organizationRateLimit})
	if err != nil {
		t.Fatal(err)
	}
	client, err := river.NewClient(riverpgxv5.New(pool), jobs.InsertConfig(db.DefaultRiverSchema, slog.New(slog.DiscardHandler)))
	if err != nil {
		t.Fatal(err)
	}
	waker := jobs.NewWaker(client)
	return &desk{t: t, pool: pool, sync: sync, river: client, waker: waker, store: sync.Store(waker)}
}

func (d *desk) must(err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
}

func (d *desk) exec(sql string, args ...any) {
	d.t.Helper()
	_, err := d.pool.Exec(d.t.Context(), sql, args...)
	d.must(err)
}

func (d *desk) transact(fn func(tx pgx.Tx) error) {
	d.t.Helper()
	d.must(pgx.BeginFunc(d.t.Context(), d.pool, fn))
}

// create makes an organization that is linked to org_ and its id.
func (d *desk) create(id string) {
	d.t.Helper()
	d.insert(scoring.Organization{ID: id, Name: "The " + id, ClerkOrgID: new("org_" + id)})
}

func (d *desk) insert(org scoring.Organization) {
	d.t.Helper()
	org.CertificationTier = scoring.Certified
	d.transact(func(tx pgx.Tx) error {
		_, _, err := d.store.CreateTx(d.t.Context(), tx, org, time.Time{})
		return err
	})
}

func (d *desk) mark(id string) {
	d.t.Helper()
	d.transact(func(tx pgx.Tx) error {
		_, err := d.store.MarkTx(d.t.Context(), tx, id)
		return err
	})
}

func (d *desk) lease(id string) outbox.Lease {
	d.t.Helper()
	key := "org_" + id
	var job int64
	d.must(d.pool.QueryRow(d.t.Context(), `SELECT job_id FROM outbox WHERE key = $1`, key).Scan(&job))
	claim, err := d.sync.Outbox().Claim(d.t.Context(), d.pool, claimsync.Topic, key, job)
	d.must(err)
	if claim.Verdict != outbox.Claimed {
		d.t.Fatalf("claiming %s: %s", key, claim.Verdict)
	}
	return claim.Lease
}

func (d *desk) acknowledge(lease outbox.Lease) {
	d.t.Helper()
	d.transact(func(tx pgx.Tx) error {
		receipt := outbox.Receipt{Status: 200, TraceID: "t200"}
		_, err := d.sync.Outbox().AcknowledgeTx(d.t.Context(), tx, d.waker, outbox.Acknowledgement{Lease: lease, Receipt: receipt, Duration: time.Millisecond})
		return err
	})
}

func (d *desk) release(lease outbox.Lease, failure *outbox.Failure, delay time.Duration) {
	d.t.Helper()
	_, err := d.sync.Outbox().Release(d.t.Context(), d.pool, lease, failure, delay, time.Second)
	d.must(err)
}

func (d *desk) park(lease outbox.Lease) {
	d.t.Helper()
	failure := &outbox.Failure{Action: outbox.Park, Receipt: outbox.Receipt{Status: 422}, Err: errors.New("refused")}
	d.transact(func(tx pgx.Tx) error {
		return d.sync.Outbox().ParkTx(d.t.Context(), tx, d.waker, lease, failure, time.Millisecond)
	})
}

// expect asks why, and compares.
func (d *desk) expect(id string, state outbox.State, waitingFor claimsync.WaitingFor, words ...string) *claimsync.Explanation {
	d.t.Helper()
	e, err := d.sync.Explain(d.t.Context(), d.river, id)
	d.must(err)
	said := strings.Join(e.InWords(), "\n")
	if e.State != state || e.WaitingFor != waitingFor {
		d.t.Errorf("%s is %s, waiting for %s; want %s, %s:\n%s", id, e.State, e.WaitingFor, state, waitingFor, said)
	}
	for _, want := range words {
		if !strings.Contains(said, want) {
			d.t.Errorf("%s: not said: %s\n%s", id, want, said)
		}
	}
	return e
}

// long is ninety minutes also for a test that is slow.
const long = 90*time.Minute + 30*time.Second

var (
	unavailable = &outbox.Failure{Action: outbox.Outage, Receipt: outbox.Receipt{Status: 503}, Err: errors.New("503")}
	unanswered  = &outbox.Failure{Action: outbox.Ambiguous, InDoubt: true, Err: errors.New("no answer")}
)

// What holds up one organization only.
func TestExplain(t *testing.T) {
	t.Parallel()
	d := newDesk(t, claimsync.Unlimited)

	d.insert(scoring.Organization{ID: "unlinked", Name: "U"})
	d.expect("unlinked", claimsync.StateUnlinked, claimsync.WaitingForLink, "U is unlinked", "gets a Clerk id")

	d.exec(`INSERT INTO organizations (id, name, clerk_org_id) VALUES ('foreign', 'F', 'org_foreign')`)
	d.expect("foreign", outbox.StateDirty, claimsync.WaitingForMark, "never told of it", "organizations/foreign/sync")

	d.exec("SELECT claimsync_recalculate('unlinked', 'foreign')")
	d.expect("unlinked", claimsync.StateUnlinked, claimsync.WaitingForLink, "gets a Clerk id", "A foreign writer changed it at ")
	d.expect("foreign", outbox.StateDirty, claimsync.WaitingForCalculation, "never told of it", "waits to be calculated")
	d.exec("DELETE FROM organization_change")

	d.create("fresh")
	d.expect("fresh", outbox.StateDirty, claimsync.WaitingForWorker,
		"The fresh is dirty", "in the queue: job ", "available since")
	d.exec(`DELETE FROM river.river_job WHERE args->>'key' = 'org_fresh'`)
	d.expect("fresh", outbox.StateDirty, claimsync.WaitingForSweep, "no live job", "sweep")

	d.create("leased")
	lease := d.lease("leased")
	d.exec(`UPDATE outbox SET lease_expires_at = now() - interval '1 s' WHERE key = 'org_leased'`)
	d.exec(`UPDATE river.river_job SET state = 'running', attempted_at = now() - interval '9 s' WHERE id = $1`, lease.JobID)
	d.expect("leased", outbox.StateDirty, claimsync.WaitingForSweep, "has died, or stands still", "no live job")
	d.exec(`UPDATE outbox SET lease_expires_at = now() + interval '1 h' WHERE key = 'org_leased'`)
	e := d.expect("leased", outbox.StateDirty, claimsync.WaitingForAnswer, "being pushed right now, by job ")
	if e.Job == nil || e.Until == nil || e.Until.Before(e.Gate.Now) {
		t.Errorf("leased: job %v until %v", e.Job, e.Until)
	}
	d.acknowledge(lease)
	d.exec(`UPDATE river.river_job SET state = 'completed', finalized_at = now() WHERE id = $1`, lease.JobID)
	e = d.expect("leased", outbox.StateClean, claimsync.WaitingForNothing,
		"The leased is clean: Clerk has had its latest state since")
	if len(e.InWords()) != 1 || len(e.Deliveries) != 1 || *e.Deliveries[0].TraceID != "t200" {
		t.Errorf("clean: %q, deliveries %+v", e.InWords(), e.Deliveries)
	}

	d.exec("SELECT claimsync_push('leased')")
	e = d.expect("leased", outbox.StateClean, claimsync.WaitingForCalculation, "clean, but for a change", "changed it at ")
	if e.Change.Since == nil || len(e.InWords()) != 2 {
		t.Errorf("a change by Clerk's id: %+v, %q", e.Change, e.InWords())
	}
	d.exec("DELETE FROM organization_change")

	d.create("retrying")
	for range 2 {
		d.release(d.lease("retrying"), unavailable, 0)
	}
	d.release(d.lease("retrying"), unavailable, long)
	d.expect("retrying", outbox.StateDirty, claimsync.WaitingForRetry, "tried again at", "(in 90 min)",
		"failed 3 times in a row, the last time with: 503")

	d.create("parked")
	d.park(d.lease("parked"))
	d.expect("parked", outbox.StateParked, claimsync.WaitingForRedrive,
		"The parked is parked", `"park 422"`, "app redrive parked", "refused")
	d.expect("org_parked", outbox.StateParked, claimsync.WaitingForRedrive, "app redrive parked")

	d.create("doubted")
	d.release(d.lease("doubted"), unanswered, 0)
	d.expect("doubted", outbox.StateDirty, claimsync.WaitingForWorker, "in doubt", "no answer")
	d.acknowledge(d.lease("doubted"))
	d.exec(`UPDATE outbox SET verify_at = verify_at + interval '1 h' WHERE key = 'org_doubted'`) // not while we look
	d.expect("doubted", outbox.StateClean, claimsync.WaitingForVerification, "is clean", "in doubt", "read back at")

	d.create("deleted")
	d.transact(func(tx pgx.Tx) error { return d.store.DeleteTx(t.Context(), tx, "deleted") })
	e = d.expect("org_deleted", outbox.StateDirty, claimsync.WaitingForWorker,
		"Clerk's org_deleted, to which no organization is linked any more")
	if e.Organization != nil || e.ClerkOrgID != "org_deleted" {
		t.Errorf("deleted: %+v", e)
	}

	for _, id := range []string{"nobody", "org_nobody", "org_nobody#", "", "\x00", "\xff"} {
		if _, err := d.sync.Explain(t.Context(), d.river, id); !errors.Is(err, scoring.ErrNotFound) {
			t.Errorf("%q: %v, want not found", id, err)
		}
	}
}

// Of very many changes not all are looked through, which is said.
func TestExplainBehindManyChanges(t *testing.T) {
	t.Parallel()
	d := newDesk(t, claimsync.Unlimited)
	d.create("a")
	d.acknowledge(d.lease("a"))
	const many = "INSERT INTO organization_change (bulk, organization_id) SELECT true, $1 FROM generate_series(1, $2::integer)"
	d.exec(many, "another", 9_999)
	d.expect("a", outbox.StateClean, claimsync.WaitingForNothing)
	d.exec(many, "another", 1)
	d.exec(many, "a", 1)
	d.expect("a", outbox.StateClean, claimsync.WaitingForCalculation, "may wait to be calculated", "first 10000 were looked through")
	d.exec("INSERT INTO organization_change (bulk, organization_id) VALUES (false, 'a')")
	d.expect("a", outbox.StateClean, claimsync.WaitingForCalculation, "A foreign writer changed it at ")
}

func TestExplainPaced(t *testing.T) {
	t.Parallel()
	d := newDesk(t, 1)
	d.create("a")
	d.acknowledge(d.lease("a"))
	d.mark("a")
	d.exec(`UPDATE outbox SET tat = tat + interval '1 h'`) // not over while we look
	e := d.expect("a", outbox.StateDirty, claimsync.WaitingForBudget, "its own budget", "the next push is at")
	if left := e.Until.Sub(e.Gate.Now); left > time.Hour+11*time.Second {
		t.Errorf("paced for %s", left)
	}
}

// What holds up all organizations.
func TestExplainGate(t *testing.T) {
	t.Parallel()
	d := newDesk(t, claimsync.Unlimited)
	box := d.sync.Outbox()
	d.create("a")
	d.create("b")
	d.acknowledge(d.lease("b"))

	d.exec(`INSERT INTO river.river_queue (name, metadata, created_at, updated_at) VALUES ($1, '{}', now(), now())`,
		claimsync.Topic)
	d.must(d.river.QueuePause(t.Context(), claimsync.Topic, nil))
	d.expect("a", outbox.StateDirty, claimsync.WaitingForQueue, "A person paused River's queue")
	d.must(d.river.QueueResume(t.Context(), claimsync.Topic, nil))
	d.expect("a", outbox.StateDirty, claimsync.WaitingForWorker)

	for _, key := range []string{"org_x", "org_y", "org_z"} {
		_, _, err := box.Blame(t.Context(), d.pool, d.waker, claimsync.Topic, key, unavailable)
		d.must(err)
	}
	e := d.expect("a", outbox.StateDirty, claimsync.WaitingForBreaker, "Clerk fails or does not answer (503)", "0 so far, the next at")
	if !e.Gate.Queue.PausedByBreaker || e.Gate.Queue.PausedAt == nil || e.Until == nil {
		t.Errorf("the breaker did not pause the queue, or is not probed: %+v, until %v", e.Gate.Queue, e.Until)
	}
	_, err := box.Open(t.Context(), d.pool, d.waker, claimsync.Topic, "maintenance")
	d.must(err)
	d.expect("a", outbox.StateDirty, claimsync.WaitingForBreaker, "a person opened it (maintenance)", "app breaker close")
	d.expect("b", outbox.StateClean, claimsync.WaitingForNothing)

	d.must(box.Block(t.Context(), d.pool, claimsync.Topic, long, "429"))
	d.expect("a", outbox.StateDirty, claimsync.WaitingForRetryAfter, "Clerk told everybody to wait until", "(in 90 min): 429")

	_, err = box.Close(t.Context(), d.pool, d.waker, claimsync.Topic)
	d.must(err)
	d.expect("a", outbox.StateDirty, claimsync.WaitingForWorker)
}
