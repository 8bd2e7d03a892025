package outbox_test

import (
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

// Only of what is synced it can be seen from outside that the destination differs.
func TestSuspectOnlyTheSynced(t *testing.T) {
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
	if diff := cmp.Diff(outbox.Suspicion{Suspected: []string{"clean"}}, got); diff != "" {
		t.Errorf("suspicion (-want +got):\n%s", diff)
	}
	equal(t, "jobs of unknown keys", b.row("unknown").jobOr(0), 0)
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
