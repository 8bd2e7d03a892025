package torture

import (
	"net/http"
	"testing"
	"time"

	"github.com/claimsync/claimsync/clerk/clerktest"
)

// A job is deleted by hand, in each state that it can be in. Its organization is pushed nevertheless.
func TestDeletedJob(t *testing.T) {
	t.Parallel()
	const within = 10 * time.Second
	tests := map[string]func(f *fleet) (deleted time.Time){
		"before a process took it": func(f *fleet) time.Time {
			f.pauseQueue()
			f.start(processConfig{})
			f.changeNow(f.keys[0])
			deleted := f.deleteJob("state = 'available' AND attempt = 0")
			f.resumeQueue()
			return deleted
		},
		"again and again, as soon as a sweep made another": func(f *fleet) (deleted time.Time) {
			f.pauseQueue()
			f.start(processConfig{})
			f.changeNow(f.keys[0])
			for range 4 {
				deleted = f.deleteJob("state = 'available'")
			}
			f.resumeQueue()
			return deleted
		},
		"while it is worked on": func(f *fleet) time.Time {
			f.start(processConfig{})
			f.pushSlowly()
			return f.deleteJob("state = 'running'")
		},
		"while it is worked on, and the organization is changed once more": func(f *fleet) time.Time {
			f.start(processConfig{})
			f.pushSlowly()
			deleted := f.deleteJob("state = 'running'")
			f.changeNow(f.keys[0])
			if f.inFlight() != 1 {
				f.t.Error("the push had ended before the change: the test proves nothing")
			}
			return deleted
		},
		"while it waits after Clerk was busy": func(f *fleet) time.Time {
			return f.deleteWaiting(clerktest.Fault{Effect: clerktest.Answer, Status: http.StatusConflict})
		},
		"while it waits after Clerk failed": func(f *fleet) time.Time {
			return f.deleteWaiting(clerktest.Fault{Effect: clerktest.Answer, Status: http.StatusInternalServerError})
		},
		"while it waits, as Clerk told us to": func(f *fleet) time.Time {
			f.start(processConfig{})
			f.clerk.SetFaults(clerktest.Fault{Effect: clerktest.Answer, Status: http.StatusTooManyRequests, RetryAfter: 4 * time.Second, Count: 1})
			f.changeNow(f.keys[0])
			f.until("Clerk told us to wait", recovery, func() bool {
				return query[bool](f, `SELECT count(*) > 0 FROM destination WHERE blocked_until > clock_timestamp()`)
			})
			return f.deleteJob("finalized_at IS NULL")
		},
	}
	for name, deleteIt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFleet(t, 1)
			deleted := deleteIt(f)
			took := f.untilClerkHas(deleted, 3*within, f.keys...)
			f.untilAllPushed(deleted)
			got := f.judge(tolerance{})
			bound(t, "pushed after the job was deleted", took, within)
			bound(t, "duplicates", got.duplicates, 0)
		})
	}
}

// All jobs are deleted, over and over, while everything is being changed.
func TestAllJobsDeletedUnderLoad(t *testing.T) {
	fullOnly(t)
	t.Parallel()
	f := newFleet(t, 20)
	f.startMany(2, processConfig{})
	f.clerk.SetFaults(clerktest.Fault{Latency: 100 * time.Millisecond})
	l := f.write(workload{writers: 4, pause: 20 * time.Millisecond, several: 0.1}, seed(t))
	var deleted int64
	var last time.Time
	f.until("many jobs are deleted", 5*time.Minute, func() bool {
		last = time.Now()
		deleted += f.deleteJobs("finalized_at IS NULL")
		return deleted >= sized[int64](200, 1000)
	})
	l.stop()
	took := f.untilClerkHas(last, recovery, f.keys...)
	f.untilAllPushed(last)
	got := f.judge(tolerance{})
	t.Logf("%d jobs deleted during %d changes: %d pushes", deleted, got.changes, got.pushes)
	bound(t, "all pushed after the last jobs were deleted", took, 10*time.Second)
	bound(t, "duplicates", got.duplicates, 0)
	bound(t, "most pushes of one organization in flight", got.inFlight, 1)
}

// pushSlowly changes the organization, and returns when its push is in flight, for a while.
func (f *fleet) pushSlowly() {
	f.t.Helper()
	f.clerk.SetFaults(clerktest.Fault{Latency: 2 * time.Second, Count: 1})
	f.changeNow(f.keys[0])
	f.untilClerk("in flight", recovery, func() bool { return f.inFlight() == 1 })
}

// deleteWaiting deletes the job while it waits for its next attempt, the second failure behind it. Then Clerk works again.
func (f *fleet) deleteWaiting(fault clerktest.Fault) time.Time {
	f.t.Helper()
	f.start(processConfig{})
	f.clerk.SetFaults(fault)
	f.changeNow(f.keys[0])
	f.untilClerk("failed twice", recovery, func() bool { return len(f.clerk.Requests()) == 2 })
	deleted := f.deleteJob("state IN ('available', 'scheduled') AND scheduled_at > clock_timestamp()")
	f.clerk.ClearFaults()
	return deleted
}

// deleteJob deletes the one job as soon as it is like that, and returns when.
func (f *fleet) deleteJob(like string) (at time.Time) {
	f.t.Helper()
	f.until("there is a job with "+like, recovery, func() bool {
		at = time.Now()
		return f.deleteJobs(like) == 1
	})
	return at
}

// deleteJobs deletes the jobs that are like that, and returns how many.
func (f *fleet) deleteJobs(like string) int64 {
	f.t.Helper()
	done, err := f.pool.Exec(f.t.Context(), `DELETE FROM river.river_job WHERE kind = 'outbox_delivery' AND `+like)
	if err != nil {
		f.t.Fatal(err)
	}
	return done.RowsAffected()
}
