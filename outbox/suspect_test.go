package outbox_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/claimsync/claimsync/outbox"
)

func (b *bench) suspect(keys ...string) (suspicion outbox.Suspicion) {
	b.t.Helper()
	b.transact(func(tx pgx.Tx) (err error) {
		suspicion, err = b.box.SuspectTx(b.t.Context(), tx, b.waker, topic, outbox.PriorityBackfill, keys...)
		return err
	})
	return suspicion
}

// synced makes keys that are in step.
func (b *bench) synced(keys ...string) {
	b.t.Helper()
	b.mark(keys...)
	for _, key := range keys {
		b.acknowledge(b.lease(key))
	}
}

// overwrite has the key seen to differ, and pushed over.
func (b *bench) overwrite(key string) {
	b.t.Helper()
	if diff := cmp.Diff(outbox.Suspicion{Suspected: []string{key}}, b.suspect(key)); diff != "" {
		b.t.Fatalf("suspicion (-want +got):\n%s", diff)
	}
	b.verify(key, false)
	b.acknowledge(b.lease(key))
}

// What waits to be pushed, or is parked, differs as it should.
func TestSuspectNotTheWaiting(t *testing.T) {
	b := newBench(t, outbox.Config{})
	b.synced("clean", "verifying", "parked")
	b.mark("dirty", "atwork", "parked")
	b.lease("atwork")
	refused := b.lease("parked")
	b.transact(func(tx pgx.Tx) error {
		return b.box.ParkTx(t.Context(), tx, b.waker, refused, failed(outbox.Park, 422), 0)
	})
	b.suspect("verifying")
	equal(t, "verdict", b.claim("verifying").Verdict, outbox.Unverified)

	got := b.suspect("parked", "dirty", "clean", "atwork", "verifying", "unknown", "clean")
	if diff := cmp.Diff(outbox.Suspicion{Suspected: []string{"atwork", "clean", "verifying"}}, got); diff != "" {
		t.Errorf("suspicion (-want +got):\n%s", diff)
	}
	equal(t, "jobs of unknown keys", b.row("unknown").jobOr(0), 0)
}

// Somebody edits the destination after our push has landed there, and before that is acknowledged; or while it is being
// read back, after it was read. It is read back afterwards.
func TestSuspectAtWork(t *testing.T) {
	t.Parallel()
	tests := map[string]func(b *bench) (end func()){
		"pushing": func(b *bench) func() {
			b.mark("a")
			lease := b.lease("a")
			return func() { b.acknowledge(lease) }
		},
		"reading back": func(b *bench) func() {
			b.synced("a")
			b.suspect("a")
			claim := b.claim("a")
			equal(b.t, "verdict", claim.Verdict, outbox.Unverified)
			return func() {
				b.transact(func(tx pgx.Tx) error {
					return b.box.VerifyTx(b.t.Context(), tx, b.waker, claim.Lease, true, outbox.Receipt{Status: 200}, 0)
				})
			}
		},
	}
	for name, begin := range tests {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, outbox.Config{})
			end := begin(b)
			jobs := b.jobs()
			b.suspect("a")
			equal(t, "new jobs while it is at work", b.jobs()-jobs, 0)
			end()
			b.sweep()
			b.verify("a", false)
			b.acknowledge(b.lease("a"))
			if a := b.row("a"); a.DoubtedAt != nil || a.SyncedVersion != a.DesiredVersion {
				t.Errorf("in the end: %+v", a)
			}
		})
	}
}

// Read back once, at the priority asked for; found right, that is all.
func TestSuspectFoundRight(t *testing.T) {
	b := newBench(t, outbox.Config{})
	b.synced("a")
	b.exec("DELETE FROM river.river_job")
	b.suspect("a")
	b.suspect("a") // by another process, at the same time
	if diff := cmp.Diff([]int32{4}, b.priorities()); diff != "" {
		t.Errorf("jobs (-want +got):\n%s", diff)
	}
	b.verify("a", true)
	if a := b.row("a"); a.DesiredVersion != 1 || a.DoubtedAt != nil || a.VerifyAt != nil || a.JobID != nil {
		t.Errorf("after it was found right: %+v", a)
	}
}

// Found wrong, it is pushed again, as urgently as it was suspected; changed meanwhile, as urgently as changes are.
func TestSuspectFoundWrong(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		meanwhile func(b *bench)
		priority  int16
	}{
		"":                      {func(*bench) {}, 4},
		"and changed meanwhile": {func(b *bench) { b.mark("a") }, 1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, outbox.Config{})
			b.synced("a")
			b.suspect("a")
			claim := b.claim("a")
			equal(t, "verdict", claim.Verdict, outbox.Unverified)
			test.meanwhile(b)
			b.transact(func(tx pgx.Tx) error {
				return b.box.VerifyTx(b.t.Context(), tx, b.waker, claim.Lease, false, outbox.Receipt{Status: 200}, 0)
			})
			equal(t, "priority of what follows", b.row("a").JobPriority, test.priority)
			b.acknowledge(b.lease("a"))
			if a := b.row("a"); a.DesiredVersion != 2 || a.SyncedVersion != 2 || a.VerifyAt != nil {
				t.Errorf("in the end: %+v", a)
			}
		})
	}
}

// A doubt that there is goes on as it was to.
func TestSuspectKeepsDoubt(t *testing.T) {
	b := newBench(t, outbox.Config{})
	b.inDoubt("a", 0)
	b.exec("UPDATE outbox SET verify_at = clock_timestamp() + interval '10 s'")
	b.suspect("a")
	b.verify("a", true)
	if b.row("a").DoubtedAt == nil {
		t.Error("what was given up on may still land, and nobody will look")
	}
}

// Against another writer there is no winning: after a few times a day it is left, and said so.
func TestSuspectContested(t *testing.T) {
	b := newBench(t, outbox.Config{})
	b.synced("a", "b")
	for range 3 {
		b.overwrite("a")
	}
	got := b.suspect("b", "a")
	if diff := cmp.Diff(outbox.Suspicion{Suspected: []string{"b"}, Contested: []string{"a"}}, got); diff != "" {
		t.Errorf("suspicion (-want +got):\n%s", diff)
	}
	contested, err := b.box.Contested(t.Context(), b.pool, topic, "b", "a")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"a"}, contested); diff != "" {
		t.Errorf("contested (-want +got):\n%s", diff)
	}
	b.exec("UPDATE outbox_delivery SET finished_at = finished_at - interval '25 hours'")
	b.overwrite("a") // the next day
}

// A job that is lost is replaced by one that is as urgent: a backfill's does not become a live change.
func TestSweepKeepsPriority(t *testing.T) {
	b := newBench(t, outbox.Config{})
	b.mark("live")
	b.transact(func(tx pgx.Tx) error {
		return b.box.MarkTx(t.Context(), tx, b.waker, topic, outbox.PriorityBackfill, "backfill", "foreign")
	})
	b.exec("DELETE FROM river.river_job")
	b.exec("UPDATE outbox SET job_id = NULL WHERE key = 'foreign'")
	equal(t, "rows woken", b.sweep(), 3)
	for key, priority := range map[string]int16{"live": 1, "backfill": 4, "foreign": 1} {
		equal(t, "priority of "+key, b.row(key).JobPriority, priority)
	}
}

// A change is made while a backfill pushes its key, and that push ends in whatever way: what is left to be done is as
// urgent as the change.
func TestChangeDuringBackfillStaysUrgent(t *testing.T) {
	t.Parallel()
	endings := map[string]func(b *bench, lease outbox.Lease){
		"applied": func(b *bench, lease outbox.Lease) { b.acknowledge(lease) },
		"failed": func(b *bench, lease outbox.Lease) {
			b.release(lease, failed(outbox.Retry, 409), 0)
			b.exec("UPDATE outbox SET not_before = clock_timestamp() - interval '10 s'")
			equal(b.t, "lost jobs", b.sweep(), 0)
		},
		"killed": func(b *bench, _ outbox.Lease) {
			b.exec("UPDATE outbox SET lease_expires_at = clock_timestamp() - interval '1 ms'")
			b.exec("UPDATE river.river_job SET state = 'running', attempted_at = now() - interval '1 minute'")
			equal(b.t, "lost jobs", b.sweep(), 1)
		},
		"parked": func(b *bench, lease outbox.Lease) {
			b.transact(func(tx pgx.Tx) error {
				return b.box.ParkTx(b.t.Context(), tx, b.waker, lease, failed(outbox.Park, 422), 0)
			})
		},
	}
	for name, end := range endings {
		for urgent, want := range map[outbox.Priority]int16{outbox.PriorityLive: 1, outbox.PriorityBackfill: 4} {
			t.Run(fmt.Sprintf("%s, %d", name, urgent), func(t *testing.T) {
				b := newBench(t, outbox.Config{})
				mark := func(priority outbox.Priority) {
					b.transact(func(tx pgx.Tx) error { return b.box.MarkTx(t.Context(), tx, b.waker, topic, priority, "a") })
				}
				b.synced("a") // by a live change, which is over
				mark(outbox.PriorityBackfill)
				lease := b.lease("a")
				mark(urgent)
				end(b, lease)
				equal(t, "priority of the row's job", b.row("a").JobPriority, want)
			})
		}
	}
}
