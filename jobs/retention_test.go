package jobs_test

import (
	"testing"
)

// A process of an application that has no River of its own keeps completed jobs for an hour, whatever River does by default.
func TestCompletedJobsGo(t *testing.T) {
	f := newFleet(t, nil)
	if _, err := f.pool.Exec(t.Context(), `INSERT INTO river.river_job (kind, args, queue, max_attempts, state, finalized_at)
		SELECT 'outbox_delivery', jsonb_build_object('topic', $1::text, 'key', age), $1, 25, 'completed', now() - age::interval
		FROM unnest(ARRAY['59 min', '61 min', '23 h']) AS age`, topic); err != nil {
		t.Fatal(err)
	}
	f.start()
	f.until("what was completed more than an hour ago is gone", func() bool { return f.count(`SELECT count(*) FROM river.river_job`) < 3 })
	if n := f.count(`SELECT count(*) FROM river.river_job WHERE args ->> 'key' = '59 min'`); n != 1 || f.count(`SELECT count(*) FROM river.river_job`) != 1 {
		t.Errorf("%d of the young one are left, of all %d", n, f.count(`SELECT count(*) FROM river.river_job`))
	}
}
