package outbox_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"github.com/claimsync/claimsync/db"
	"github.com/claimsync/claimsync/db/dbsqlc"
	"github.com/claimsync/claimsync/db/dbtest"
	"github.com/claimsync/claimsync/jobs"
	"github.com/claimsync/claimsync/outbox"
)

const topic = "test_topic"

// bench is an outbox on a database of its own, with a River client that only inserts: the tests are the worker.
type bench struct {
	t     *testing.T
	pool  *pgxpool.Pool
	box   *outbox.Outbox
	waker outbox.Waker
}

func newBench(t *testing.T, config outbox.Config) *bench {
	t.Helper()
	t.Parallel()
	pool := dbtest.New(t)
	return &bench{t: t, pool: pool, box: outbox.New(config), waker: newWaker(t, pool, db.DefaultRiverSchema)}
}

func newWaker(t *testing.T, pool *pgxpool.Pool, schema string) outbox.Waker {
	t.Helper()
	client, err := river.NewClient(riverpgxv5.New(pool), &river.Config{Schema: schema})
	if err != nil {
		t.Fatal(err)
	}
	return jobs.NewWaker(client)
}

func (b *bench) transact(fn func(tx pgx.Tx) error) {
	b.t.Helper()
	if err := pgx.BeginFunc(b.t.Context(), b.pool, fn); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) mark(keys ...string) {
	b.t.Helper()
	b.transact(func(tx pgx.Tx) error {
		return b.box.MarkTx(b.t.Context(), tx, b.waker, topic, outbox.PriorityLive, keys...)
	})
}

func (b *bench) claim(key string) outbox.Claim {
	b.t.Helper()
	claim, err := b.box.Claim(b.t.Context(), b.pool, topic, key, b.row(key).jobOr(0))
	if err != nil {
		b.t.Fatal(err)
	}
	return claim
}

// lease claims and expects to get it.
func (b *bench) lease(key string) outbox.Lease {
	b.t.Helper()
	claim := b.claim(key)
	if claim.Verdict != outbox.Claimed {
		b.t.Fatalf("claiming %s: %s (until %s), want claimed", key, claim.Verdict, claim.Until)
	}
	return claim.Lease
}

func (b *bench) acknowledge(lease outbox.Lease) {
	b.t.Helper()
	b.transact(func(tx pgx.Tx) error {
		_, err := b.box.AcknowledgeTx(b.t.Context(), tx, b.waker, acknowledgement(lease))
		return err
	})
}

func acknowledgement(lease outbox.Lease) outbox.Acknowledgement {
	return outbox.Acknowledgement{Lease: lease, Receipt: outbox.Receipt{Status: 200}, Duration: time.Millisecond}
}

func (b *bench) release(lease outbox.Lease, failure *outbox.Failure, delay time.Duration) {
	b.t.Helper()
	if _, err := b.box.Release(b.t.Context(), b.pool, lease, failure, delay, time.Millisecond); err != nil {
		b.t.Fatal(err)
	}
}

type row struct{ dbsqlc.Outbox }

func (r row) jobOr(none int64) int64 {
	if r.JobID == nil {
		return none
	}
	return *r.JobID
}

func (b *bench) row(key string) row {
	b.t.Helper()
	found, err := dbsqlc.New().OutboxGet(b.t.Context(), b.pool, dbsqlc.OutboxGetParams{Topic: topic, Key: key})
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		b.t.Fatal(err)
	}
	return row{found}
}

func (b *bench) jobs() (count int) {
	b.t.Helper()
	if err := b.pool.QueryRow(b.t.Context(), "SELECT count(*) FROM river.river_job").Scan(&count); err != nil {
		b.t.Fatal(err)
	}
	return count
}

func (b *bench) exec(sql string, args ...any) {
	b.t.Helper()
	if _, err := b.pool.Exec(b.t.Context(), sql, args...); err != nil {
		b.t.Fatal(err)
	}
}

// outcomes is the key's delivery log, oldest first.
func (b *bench) outcomes(key string) (outcomes []string) {
	b.t.Helper()
	log, err := b.box.Deliveries(b.t.Context(), b.pool, topic, key, 0, 100)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, delivery := range slices.Backward(log) {
		outcomes = append(outcomes, delivery.Outcome)
	}
	return outcomes
}

// sweep is a sweep whose turn it is.
func (b *bench) sweep() int {
	b.t.Helper()
	b.exec("UPDATE destination SET sweep_at = '-infinity'")
	return b.sweepIfDue(0)
}

func (b *bench) sweepIfDue(pause time.Duration) int {
	b.t.Helper()
	woken, err := b.box.Sweep(b.t.Context(), b.pool, b.waker, topic, pause)
	if err != nil {
		b.t.Fatal(err)
	}
	return woken
}

func equal[T any](t *testing.T, what string, got, want T) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// A change is marked, delivered and acknowledged; marks that meet a waiting job insert no other.
func TestMarkClaimAcknowledge(t *testing.T) {
	b := newBench(t, outbox.Config{})
	b.mark("a", "b", "a")
	b.mark("a")
	equal(t, "jobs after two marks of a and one of b", b.jobs(), 2)

	lease := b.lease("a")
	equal(t, "version", lease.Version, 2)
	b.acknowledge(lease)

	a := b.row("a")
	equal(t, "synced", a.SyncedVersion, 2)
	equal(t, "dirty", a.DirtySince, nil)
	equal(t, "job", a.JobID, nil)
	equal(t, "claiming a clean row", b.claim("a").Verdict, outbox.Clean)
	equal(t, "claiming a row that was never marked", b.claim("c").Verdict, outbox.Clean)
	equal(t, "log", b.outcomes("a"), []string{"applied"})

	b.mark("a")
	equal(t, "jobs after marking the clean row", b.jobs(), 3)
}

// Removing the mark's lock, or the dirty check of the acknowledgement, loses the second change here.
func TestMarkDuringDelivery(t *testing.T) {
	b := newBench(t, outbox.Config{})
	b.mark("a")
	lease := b.lease("a")
	b.mark("a")
	equal(t, "jobs while one is at work", b.jobs(), 1)

	b.acknowledge(lease)
	a := b.row("a")
	equal(t, "versions", [2]int64{a.SyncedVersion, a.DesiredVersion}, [2]int64{1, 2})
	equal(t, "jobs: the acknowledgement has to insert the next", b.jobs(), 2)
	if a.JobID == nil || a.DirtySince == nil || a.DirtySince.Before(lease.DirtySince) {
		t.Errorf("job %v, dirty since %v; want a job, and dirty since after %v", a.JobID, a.DirtySince, lease.DirtySince)
	}
	b.acknowledge(b.lease("a"))
	equal(t, "finally dirty", b.row("a").DirtySince, nil)
}

func TestRolledBackMarkLeavesNothing(t *testing.T) {
	b := newBench(t, outbox.Config{})
	rollback := errors.New("rolled back")
	err := pgx.BeginFunc(t.Context(), b.pool, func(tx pgx.Tx) error {
		if err := b.box.MarkTx(t.Context(), tx, b.waker, topic, outbox.PriorityLive, "a"); err != nil {
			return err
		}
		return rollback
	})
	if !errors.Is(err, rollback) {
		t.Fatal(err)
	}
	equal(t, "desired version", b.row("a").DesiredVersion, 0)
	equal(t, "jobs", b.jobs(), 0)
}

// Only one worker at a time has a key.
func TestClaimIsExclusive(t *testing.T) {
	b := newBench(t, outbox.Config{})
	b.mark("a")
	b.lease("a")
	second := b.claim("a")
	equal(t, "second claim", second.Verdict, outbox.Leased)
	if wait := time.Until(second.Until); wait <= 0 || wait > outbox.DefaultLease {
		t.Errorf("told to wait %s, want up to the lease of %s", wait, outbox.DefaultLease)
	}
}

// A worker that overstays its lease finds the door shut, whatever it wants to report.
func TestLostLeaseIsFenced(t *testing.T) {
	b := newBench(t, outbox.Config{})
	b.mark("a")
	stale := b.lease("a")
	b.mark("a")
	b.exec("UPDATE outbox SET lease_expires_at = clock_timestamp()")
	current := b.lease("a")

	ctx := t.Context()
	failure := &outbox.Failure{Action: outbox.Park, Err: errors.New("refused")}
	reports := map[string]func(pgx.Tx) error{
		"acknowledge": func(tx pgx.Tx) error {
			_, err := b.box.AcknowledgeTx(ctx, tx, b.waker, acknowledgement(stale))
			return err
		},
		"park": func(tx pgx.Tx) error { return b.box.ParkTx(ctx, tx, b.waker, stale, failure, 0) },
		"release": func(tx pgx.Tx) error {
			_, err := b.box.Release(ctx, tx, stale, failure, 0, 0)
			return err
		},
		"verify": func(tx pgx.Tx) error {
			return b.box.VerifyTx(ctx, tx, b.waker, stale, false, outbox.Receipt{Status: 200}, 0)
		},
	}
	for name, report := range reports {
		if err := pgx.BeginFunc(ctx, b.pool, report); !errors.Is(err, outbox.ErrLeaseLost) {
			t.Errorf("%s with a lost lease: %v, want ErrLeaseLost", name, err)
		}
	}
	if err := b.box.RecordFenced(ctx, b.pool, stale, outbox.Receipt{Status: 200}, nil, time.Second); err != nil {
		t.Fatal(err)
	}
	a := b.row("a")
	equal(t, "synced version", a.SyncedVersion, 0)
	equal(t, "parked", a.ParkedAt, nil)
	b.acknowledge(current)
	equal(t, "synced version", b.row("a").SyncedVersion, 2)
	equal(t, "log", b.outcomes("a"), []string{"lost", "fenced", "applied"})
}

// After a failure the row waits, and its job with it.
func TestReleaseDelays(t *testing.T) {
	b := newBench(t, outbox.Config{})
	b.mark("a")
	busy := &outbox.Failure{Action: outbox.Retry, Receipt: outbox.Receipt{Status: 409, TraceID: "t1"}, Err: errors.New("busy")}
	b.release(b.lease("a"), busy, time.Minute)

	again := b.claim("a")
	equal(t, "claim before its time", again.Verdict, outbox.NotDue)
	a := b.row("a")
	equal(t, "failures", a.Failures, 1)
	equal(t, "last error", *a.LastError, "busy")
	if a.JobID == nil {
		t.Error("the job is gone, though it only waits")
	}
	b.mark("a")
	equal(t, "jobs: a mark leaves the delay alone", b.jobs(), 1)

	b.exec("UPDATE outbox SET not_before = clock_timestamp()")
	b.acknowledge(b.lease("a"))
	equal(t, "failures after success", b.row("a").Failures, 0)
	equal(t, "log", b.outcomes("a"), []string{"retry", "applied"})
}

func TestParkAndUnpark(t *testing.T) {
	b := newBench(t, outbox.Config{})
	refused := &outbox.Failure{Action: outbox.Park, Receipt: outbox.Receipt{Status: 422}, Err: errors.New("too long")}
	park := func(lease outbox.Lease) {
		b.transact(func(tx pgx.Tx) error { return b.box.ParkTx(t.Context(), tx, b.waker, lease, refused, 0) })
	}
	b.mark("a")
	park(b.lease("a"))
	status, found, err := b.box.Status(t.Context(), b.pool, topic, "a")
	if err != nil || !found {
		t.Fatal(found, err)
	}
	equal(t, "state", status.State, outbox.StateParked)
	equal(t, "reason", *status.ParkedReason, "park 422")
	equal(t, "claiming a parked row", b.claim("a").Verdict, outbox.Parked)
	equal(t, "sweeping a parked row", b.sweep(), 0)

	b.mark("a")
	equal(t, "jobs: a change unparks", b.jobs(), 2)
	lease := b.lease("a")
	equal(t, "failures start anew", lease.Failures, 0)

	b.mark("a") // a change that came while the version before it was being refused
	park(lease)
	a := b.row("a")
	equal(t, "parked with a newer change", a.ParkedAt, nil)
	equal(t, "jobs for the newer change", b.jobs(), 3)
}

func TestBlockKeepsEverybodyAway(t *testing.T) {
	b := newBench(t, outbox.Config{})
	b.mark("a", "b")
	ctx := t.Context()
	for _, delay := range []time.Duration{time.Hour, time.Second} { // the shorter one must not win
		if err := b.box.Block(ctx, b.pool, topic, delay, "told to wait"); err != nil {
			t.Fatal(err)
		}
	}
	claim := b.claim("a")
	equal(t, "claim", claim.Verdict, outbox.Blocked)
	if wait := time.Until(claim.Until); wait < 59*time.Minute {
		t.Errorf("told to wait %s, want about an hour", wait)
	}
	b.exec("DELETE FROM river.river_job")
	equal(t, "sweeping while blocked", b.sweep(), 0)
}

// A transaction that holds one row and does not end costs a worker a moment, not its connection for good.
func TestClaimOfLockedRow(t *testing.T) {
	b := newBench(t, outbox.Config{})
	b.mark("a", "b")
	b.transact(func(tx pgx.Tx) error {
		if err := b.box.MarkTx(t.Context(), tx, b.waker, topic, outbox.PriorityLive, "a"); err != nil {
			return err
		}
		equal(t, "claim of the locked row", b.claim("a").Verdict, outbox.Locked)
		b.lease("b")
		return nil
	})
	b.lease("a")
	var timeout string
	if err := b.pool.QueryRow(context.Background(), "SHOW lock_timeout").Scan(&timeout); err != nil {
		t.Fatal(err)
	}
	equal(t, "lock_timeout of the connection afterwards", timeout, "0")
}
