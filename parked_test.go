package claimsync_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/jackc/pgx/v5"

	"github.com/claimsync/claimsync"
	"github.com/claimsync/claimsync/outbox"
)

// What parks again while the parked keys are walked over does not come twice.
func TestParkedKeysAreWalkedOver(t *testing.T) {
	t.Parallel()
	d := newDesk(t, claimsync.Unlimited)
	box := d.sync.Outbox()
	for _, id := range []string{"a", "b", "c"} {
		d.create(id)
		d.park(d.lease(id))
	}
	d.exec(`UPDATE outbox SET parked_reason = 'missing 404' WHERE key = 'org_b'`)

	reasons, err := box.ParkedReasons(t.Context(), d.pool, claimsync.Topic, 9)
	d.must(err)
	want := []outbox.ParkedReason{{Reason: "park 422", Rows: 2}, {Reason: "missing 404", Rows: 1}}
	if diff := cmp.Diff(want, reasons, cmpopts.IgnoreFields(outbox.ParkedReason{}, "LastParkedAt")); diff != "" {
		t.Errorf("reasons (-want +got):\n%s", diff)
	}

	query := outbox.ParkedQuery{Reason: "missing 404", Until: reasons[0].LastParkedAt, Limit: 9}
	if page, err := box.ParkedKeys(t.Context(), d.pool, claimsync.Topic, query); len(page) != 1 || page[0].Key != "org_b" {
		t.Errorf("of one reason: %v, %v, want org_b", page, err)
	}

	query = outbox.ParkedQuery{Until: reasons[0].LastParkedAt, Limit: 1}
	var walked []string
	for len(walked) < 9 { // else without end
		page, err := box.ParkedKeys(t.Context(), d.pool, claimsync.Topic, query)
		d.must(err)
		if len(page) == 0 {
			break
		}
		query.After = page[0]
		walked = append(walked, page[0].Key)
		d.redrive(page[0].Key)
		d.park(d.lease(page[0].Key[len("org_"):]))
	}
	if diff := cmp.Diff([]string{"org_a", "org_b", "org_c"}, walked); diff != "" {
		t.Errorf("walked over (-want +got):\n%s", diff)
	}

	query = outbox.ParkedQuery{Reason: "missing 404", Until: time.Now().Add(time.Hour), Limit: 9}
	if page, err := box.ParkedKeys(t.Context(), d.pool, claimsync.Topic, query); len(page) > 0 || err != nil {
		t.Errorf("of a reason that there was: %v, %v", page, err)
	}
}

// Only what is parked is redriven; it forgets its failures and keeps its doubt.
func TestRedrive(t *testing.T) {
	t.Parallel()
	d := newDesk(t, claimsync.Unlimited)
	d.create("a")
	d.create("b")
	d.release(d.lease("a"), unanswered, 0)
	d.park(d.lease("a"))
	if got := d.redrive("org_b", "org_a", "org_nobody"); !cmp.Equal(got, []string{"org_a"}) {
		t.Errorf("redriven: %v, want org_a", got)
	}
	e := d.expect("a", outbox.StateDirty, claimsync.WaitingForWorker, "in doubt")
	if e.Row.Failures != 0 || e.Row.DesiredVersion != 2 || e.Job.Priority != int(outbox.PriorityBackfill) {
		t.Errorf("failures %d, version %d, priority %d", e.Row.Failures, e.Row.DesiredVersion, e.Job.Priority)
	}
	if got := d.redrive("org_a"); len(got) > 0 {
		t.Errorf("redriven again: %v", got)
	}
	d.acknowledge(d.lease("a"))
}

func (d *desk) redrive(keys ...string) (redriven []string) {
	d.t.Helper()
	d.transact(func(tx pgx.Tx) (err error) {
		redriven, err = d.sync.Outbox().RedriveTx(d.t.Context(), tx, d.waker, claimsync.Topic, outbox.PriorityBackfill, keys...)
		return err
	})
	return redriven
}
