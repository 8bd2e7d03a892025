package outbox_test

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/claimsync/claimsync/outbox"
)

// claimEach claims the keys at once, each for a job of its own.
func (b *bench) claimEach(keys ...string) []*outbox.Claim {
	b.t.Helper()
	requests := make([]outbox.ClaimRequest, len(keys))
	for i, key := range keys {
		requests[i] = outbox.ClaimRequest{Key: key, JobID: b.row(key).jobOr(int64(1000 + i))}
	}
	claims, err := b.box.ClaimEach(b.t.Context(), b.pool, topic, requests)
	if err != nil {
		b.t.Fatal(err)
	}
	return claims
}

// verdicts of claims; of one that is nil: "nil".
func verdicts(claims []*outbox.Claim) (all []outbox.Verdict) {
	for _, claim := range claims {
		if claim == nil {
			all = append(all, "nil")
		} else {
			all = append(all, claim.Verdict)
		}
	}
	return all
}

// locked runs fn while another transaction holds the rows that the query locks.
func (b *bench) locked(query string, fn func()) {
	b.t.Helper()
	b.transact(func(tx pgx.Tx) error {
		if _, err := tx.Exec(b.t.Context(), query); err != nil {
			return err
		}
		fn()
		return nil
	})
}

// Claims that travel together are those that each would have been, wait for no row, and give one lease to one of them.
func TestClaimEach(t *testing.T) {
	b := newBench(t, outbox.Config{})
	b.mark("clean", "leased", "a", "b", "locked")
	b.acknowledge(b.lease("clean"))
	b.lease("leased")
	b.locked("SELECT FROM outbox WHERE key = 'locked' FOR UPDATE", func() {
		claims := b.claimEach("b", "clean", "a", "never marked", "leased", "locked", "a")
		want := []outbox.Verdict{outbox.Claimed, outbox.Clean, outbox.Claimed, "nil", outbox.Leased, "nil", "nil"}
		equal(t, "verdicts", verdicts(claims), want)
		for _, i := range []int{0, 2} {
			lease := claims[i].Lease
			row := b.row(lease.Key)
			equal(t, "the lease's job", lease.JobID, row.jobOr(0))
			equal(t, "the lease's version", lease.Version, row.DesiredVersion)
			b.acknowledge(lease)
		}
	})
	equal(t, "afterwards", verdicts(b.claimEach("a", "b", "locked")), []outbox.Verdict{outbox.Clean, outbox.Clean, outbox.Claimed})
}

// Acknowledgements that travel together wait for no row, and leave alone what needs more than them.
func TestAcknowledgeEach(t *testing.T) {
	b := newBench(t, outbox.Config{})
	keys := []string{"a", "b", "marked meanwhile", "taken over", "locked", "job locked", "job gone"}
	b.mark(keys...)
	b.exec("UPDATE river.river_job SET state = 'running'")
	ids := map[string]int64{}
	var reports []outbox.Acknowledgement
	for _, claim := range b.claimEach(keys...) {
		ids[claim.Lease.Key] = claim.Lease.JobID
		reports = append(reports, acknowledgement(claim.Lease))
	}
	b.mark("marked meanwhile")
	b.exec("UPDATE outbox SET lease_expires_at = clock_timestamp() WHERE key = 'taken over'")
	again := acknowledgement(b.lease("taken over"))
	b.exec("DELETE FROM river.river_job WHERE id = $1", ids["job gone"])

	states := func() map[string]string {
		found := map[string]string{}
		rows, err := b.pool.Query(t.Context(), "SELECT args ->> 'key', state::text FROM river.river_job")
		if err != nil {
			t.Fatal(err)
		}
		var key, state string
		if _, err := pgx.ForEachRow(rows, []any{&key, &state}, func() error { found[key] = state; return nil }); err != nil {
			t.Fatal(err)
		}
		return found
	}
	var lags []*time.Duration
	acknowledge := func(reports ...outbox.Acknowledgement) {
		t.Helper()
		var err error
		if lags, err = b.box.AcknowledgeEach(t.Context(), b.pool, topic, reports); err != nil {
			t.Fatal(err)
		}
	}
	b.locked("SELECT FROM outbox WHERE key = 'locked' FOR UPDATE", func() {
		b.locked(`SELECT FROM river.river_job WHERE args ->> 'key' = 'job locked' FOR UPDATE`, func() { acknowledge(reports...) })
	})
	for i, key := range keys {
		row := b.row(key)
		done := key == "a" || key == "b" || key == "job locked" || key == "job gone"
		if (lags[i] != nil) != done || (row.SyncedVersion == 1) != done || (row.LeaseToken == nil) != done || (row.JobID == nil) != done {
			t.Errorf("%s: lag %v, row %+v; acknowledged is to be %t", key, lags[i], row, done)
		}
		if done && (*lags[i] <= 0 || *lags[i] > time.Minute) {
			t.Errorf("%s: took %s", key, *lags[i])
		}
		want := []string(nil)
		switch {
		case done:
			want = []string{"applied"}
		case key == "taken over":
			want = []string{"lost"}
		}
		equal(t, "log of "+key, b.outcomes(key), want)
	}
	equal(t, "jobs", states(), map[string]string{
		"a": "completed", "b": "completed", "marked meanwhile": "running", "taken over": "running", "locked": "running", "job locked": "running",
	})

	acknowledge(reports[4], again)
	if lags[0] == nil || lags[1] == nil {
		t.Errorf("lags %v, want two: nobody is in the way any more", lags)
	}
	b.transact(func(tx pgx.Tx) error {
		_, err := b.box.AcknowledgeTx(t.Context(), tx, b.waker, reports[2])
		return err
	})
	equal(t, "job of what was marked meanwhile", b.row("marked meanwhile").jobOr(0) > ids["job gone"], true)
	b.exec("DELETE FROM river.river_job WHERE state = 'available'")
	equal(t, "jobs afterwards", states(), map[string]string{
		"a": "completed", "b": "completed", "marked meanwhile": "completed", "taken over": "completed", "locked": "completed", "job locked": "running",
	})
}
