package outbox_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/claimsync/claimsync/outbox"
)

// priorities are those of all jobs, in the order of their insertion.
func (b *bench) priorities() (all []int32) {
	b.t.Helper()
	err := b.pool.QueryRow(b.t.Context(), "SELECT array_agg(priority ORDER BY id) FROM river.river_job").Scan(&all)
	if err != nil {
		b.t.Fatal(err)
	}
	return all
}

// toBeReadBack makes a key that is synced and in doubt, and has a job for its verification and no other.
func (b *bench) toBeReadBack(key string) {
	b.t.Helper()
	b.inDoubt(key, 0)
	b.exec("UPDATE outbox SET verify_at = now()")
	b.exec("DELETE FROM river.river_job")
	b.sweep()
	if diff := cmp.Diff([]int32{3}, b.priorities()); diff != "" {
		b.t.Fatalf("to be read back (-want +got):\n%s", diff)
	}
}

// A mark that is more urgent than the job which a row has gets one of its own.
func TestMarkOvertakesVerification(t *testing.T) {
	b := newBench(t, outbox.Config{})
	b.toBeReadBack("a")
	b.mark("a")
	b.mark("a")
	if diff := cmp.Diff([]int32{3, 1}, b.priorities()); diff != "" {
		t.Errorf("then changed twice (-want +got):\n%s", diff)
	}
}

// Unless that one is at work: then it sees to the mark, in the end.
func TestMarkLeavesItToTheHolder(t *testing.T) {
	b := newBench(t, outbox.Config{})
	b.toBeReadBack("a")
	claim := b.claim("a")
	equal(t, "verdict", claim.Verdict, outbox.Unverified)
	b.mark("a")
	if diff := cmp.Diff([]int32{3}, b.priorities()); diff != "" {
		t.Errorf("changed while being read back (-want +got):\n%s", diff)
	}
	b.release(claim.Lease, failed(outbox.Retry, 409), 0)
	b.mark("a")
	if diff := cmp.Diff([]int32{3, 1}, b.priorities()); diff != "" {
		t.Errorf("changed after that failed (-want +got):\n%s", diff)
	}
}
