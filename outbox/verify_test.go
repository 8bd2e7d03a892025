package outbox_test

import (
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/claimsync/claimsync/outbox"
)

// verify ends a verification that has to be due and claimable.
func (b *bench) verify(key string, inStep bool) {
	b.t.Helper()
	claim := b.claim(key)
	if claim.Verdict != outbox.Unverified {
		b.t.Fatalf("claiming %s: %s, want unverified", key, claim.Verdict)
	}
	b.transact(func(tx pgx.Tx) error {
		return b.box.VerifyTx(b.t.Context(), tx, b.waker, claim.Lease, inStep, outbox.Receipt{Status: 200}, 0)
	})
}

// inDoubt makes a key that is synced, and in doubt for so long; its verification is due.
func (b *bench) inDoubt(key string, age time.Duration) {
	b.t.Helper()
	b.mark(key)
	b.release(b.lease(key), lostAnswer, 0)
	b.acknowledge(b.lease(key))
	b.doubtAge(age)
}

// doubtAge sets how long ago the doubt arose, and makes the verification due.
func (b *bench) doubtAge(age time.Duration) {
	b.t.Helper()
	b.exec("UPDATE outbox SET doubted_at = clock_timestamp() - $1::interval, verify_at = clock_timestamp()", age)
}

// verifyIn is how long after the doubt the next verification is.
func (b *bench) verifyIn(key string) time.Duration {
	b.t.Helper()
	a := b.row(key)
	if a.VerifyAt == nil || a.DoubtedAt == nil {
		b.t.Fatalf("%s is not in doubt", key)
	}
	return a.VerifyAt.Sub(*a.DoubtedAt).Round(time.Second)
}

var lostAnswer = &outbox.Failure{Action: outbox.Ambiguous, Err: errors.New("timeout")}

// A push without an answer may land after the next one: the key is read back until it cannot any more.
func TestVerifyAfterDoubt(t *testing.T) {
	b := newBench(t, outbox.Config{})
	b.mark("a")
	b.release(b.lease("a"), lostAnswer, 0)
	equal(t, "first verification", b.verifyIn("a"), 10*time.Second)
	b.acknowledge(b.lease("a"))
	equal(t, "the doubt outlives the next push", b.verifyIn("a"), 10*time.Second)
	equal(t, "sweep before it is due", b.sweep(), 0)
	equal(t, "claim before it is due", b.claim("a").Verdict, outbox.Clean)

	for _, due := range []struct{ after, next time.Duration }{
		{10 * time.Second, 30 * time.Second}, {30 * time.Second, 90 * time.Second}, {90 * time.Second, 270 * time.Second},
	} {
		b.doubtAge(due.after)
		equal(t, "a verification is not a lost job", b.sweep(), 0)
		b.verify("a", true)
		equal(t, "next verification", b.verifyIn("a"), due.next)
		if b.row("a").JobID != nil {
			t.Error("a job waits for a verification that is not due")
		}
	}
	b.doubtAge(270 * time.Second)
	b.sweep()
	b.verify("a", true)
	if a := b.row("a"); a.DoubtedAt != nil || a.VerifyAt != nil {
		t.Errorf("after the last verification: %+v", a)
	}
	equal(t, "jobs: one for the pushes, one for each verification", b.jobs(), 1+4)
	equal(t, "log", b.outcomes("a"), []string{"ambiguous", "applied", "verified", "verified", "verified", "verified"})
}

// What lands while the last verification stands still, after it has read, is for another one to find.
func TestVerifyCountsFromItsBeginning(t *testing.T) {
	b := newBench(t, outbox.Config{})
	b.inDoubt("a", 270*time.Second)
	claim := b.claim("a")
	b.exec("UPDATE outbox SET verify_at = doubted_at + interval '90 seconds', leased_at = doubted_at + interval '100 seconds'")
	b.transact(func(tx pgx.Tx) error {
		return b.box.VerifyTx(t.Context(), tx, b.waker, claim.Lease, true, outbox.Receipt{}, 0)
	})
	equal(t, "next verification", b.verifyIn("a"), 300*time.Second)
}

// A job that finds its row clean is done, and the next mark has to insert one.
func TestCleanVerdictFreesTheRow(t *testing.T) {
	b := newBench(t, outbox.Config{})
	b.inDoubt("a", 10*time.Second)
	b.sweep()
	b.exec("UPDATE outbox SET verify_at = clock_timestamp() + interval '1 minute'") // a newer doubt
	equal(t, "claim", b.claim("a").Verdict, outbox.Clean)
	b.mark("a")
	equal(t, "jobs", b.jobs(), 3)
}

func TestVerifyFindsAnOldPush(t *testing.T) {
	b := newBench(t, outbox.Config{})
	b.inDoubt("a", 10*time.Second)
	b.sweep()
	b.verify("a", false)
	equal(t, "version: pushed as a new one", b.row("a").DesiredVersion, 2)
	b.acknowledge(b.lease("a"))
	equal(t, "the doubt goes on", b.verifyIn("a"), 30*time.Second)
	equal(t, "log", b.outcomes("a"), []string{"ambiguous", "applied", "overwritten", "applied"})
}

// A change made during a verification is delivered, whatever the verification finds, and only once.
func TestMarkDuringVerification(t *testing.T) {
	t.Parallel()
	for name, inStep := range map[string]bool{"in step": true, "overwritten": false} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, outbox.Config{})
			b.inDoubt("a", 10*time.Second)
			b.sweep()
			claim := b.claim("a")
			b.mark("a")
			equal(t, "jobs while one is at work", b.jobs(), 2)
			b.transact(func(tx pgx.Tx) error {
				return b.box.VerifyTx(t.Context(), tx, b.waker, claim.Lease, inStep, outbox.Receipt{}, 0)
			})
			equal(t, "jobs afterwards", b.jobs(), 3)
			equal(t, "version", b.lease("a").Version, 2)
		})
	}
}

// Whoever may have pushed over a newer state without having the right to is a reason for doubt.
func TestDoubtAfterLostLease(t *testing.T) {
	b := newBench(t, outbox.Config{})
	b.mark("a")
	stale := b.lease("a")
	b.exec("UPDATE outbox SET lease_expires_at = clock_timestamp()")
	current := b.lease("a")
	equal(t, "after a takeover", b.verifyIn("a"), 10*time.Second)
	b.acknowledge(current)

	tests := map[string]struct {
		failure *outbox.Failure
		due     bool
	}{
		"applied":       {nil, true},
		"may be":        {lostAnswer, true},
		"did not apply": {&outbox.Failure{Action: outbox.Retry, Err: errors.New("busy")}, false},
	}
	for name, test := range tests {
		b.exec("UPDATE outbox SET verify_at = clock_timestamp() + interval '1 minute'")
		if err := b.box.RecordFenced(t.Context(), b.pool, stale, outbox.Receipt{}, test.failure, 0); err != nil {
			t.Fatal(err)
		}
		want := outbox.Clean
		if test.due {
			want = outbox.Unverified
		}
		equal(t, "claim after the fenced one "+name, b.claim("a").Verdict, want)
		b.exec("UPDATE outbox SET lease_token = NULL, lease_version = NULL, leased_at = NULL, lease_expires_at = NULL, job_id = NULL")
	}
}
