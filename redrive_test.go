package claimsync_test

import (
	"fmt"
	"testing"

	"github.com/claimsync/claimsync"
	"github.com/claimsync/claimsync/outbox"
)

// All that is parked for a reason is redriven, over several transactions, once each, behind what is more urgent.
func TestRedriveAll(t *testing.T) {
	t.Parallel()
	d := newDesk(t, claimsync.Unlimited)
	const parked = 450
	for i := range parked {
		d.create(fmt.Sprint(i))
	}
	d.exec(`UPDATE outbox SET job_id = NULL, parked_at = clock_timestamp(), parked_reason = 'park 422'`)
	d.exec(`UPDATE outbox SET parked_reason = 'missing 404' WHERE key = 'org_7'`)
	d.exec(`DELETE FROM river.river_job`)

	var steps []int64
	progress := func(done, total int64) {
		if steps = append(steps, done); total != parked-1 {
			t.Errorf("%d of %d", done, total)
		}
	}
	redriven, err := d.sync.RedriveAll(t.Context(), d.waker, claimsync.Redriving{Reason: "park 422", Progress: progress})
	if redriven != parked-1 || err != nil {
		t.Errorf("%d redriven, %v", redriven, err)
	}
	if fmt.Sprint(steps) != "[0 200 400 449]" {
		t.Errorf("progress: %v", steps)
	}
	var jobs, left int
	d.must(d.pool.QueryRow(t.Context(), `SELECT (SELECT count(*) FROM river.river_job WHERE priority = $1),
		(SELECT count(*) FROM outbox WHERE parked_at IS NOT NULL)`, outbox.PriorityBackfill).Scan(&jobs, &left))
	if jobs != parked-1 || left != 1 {
		t.Errorf("%d jobs behind what is more urgent, want %d; %d left, want the one of another reason", jobs, parked-1, left)
	}
	if redriven, err := d.sync.RedriveAll(t.Context(), d.waker, claimsync.Redriving{}); redriven != 1 || err != nil {
		t.Errorf("for whatever reason: %d redriven, %v", redriven, err)
	}
}
