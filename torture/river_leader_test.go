package torture

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/claimsync/claimsync/clerk/clerktest"
)

// The leader is killed while rows wait for a second try. It is the leader who would make their jobs available, and
// nobody is for as long as its term lasts: the sweep does not wait for that.
func TestLeaderIsKilled(t *testing.T) {
	fullOnly(t)
	t.Parallel()
	for name, afterwards := range map[string]string{
		"and another is elected": "",
		"and nobody is elected":  "UPDATE river.river_leader SET expires_at = now() + interval '1 hour'",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFleet(t, 10)
			processes := f.startMany(2, processConfig{})
			leader := f.electedAmong(processes)
			// Clerk does not know some organizations yet: they are tried again after 10 s. River's scheduler is for waits
			// of more than 5 s. One more, and the configuration would be at fault.
			const unknown = 9
			f.clerk.SetFaults(clerktest.Fault{Effect: clerktest.Answer, Status: http.StatusNotFound})
			f.changeNow(f.keys[:unknown]...)
			f.until("all jobs wait for the scheduler", recovery, func() bool {
				return query[int](f, `SELECT count(*) FROM river.river_job WHERE state = 'scheduled'`) == unknown
			})
			due := query[time.Time](f, "SELECT max(not_before) FROM outbox")
			leader.Kill()
			if afterwards != "" {
				f.exec(afterwards)
			}
			f.clerk.ClearFaults()
			took := f.untilAllPushed(due)

			got := f.judge(tolerance{})
			t.Logf("%d pushes, %d rows woken by sweeps", got.pushes, swept(processes))
			bound(t, "every change pushed after it was due, without the leader", took, recovery)
			bound(t, "duplicates", got.duplicates, 0)
		})
	}
}

// electedAmong is the process that leads. Once it has worked a job, that tells which it is: the job knows the client
// that attempted it, and the process has the job in its log.
func (f *fleet) electedAmong(processes []*process) (leader *process) {
	f.t.Helper()
	f.until("the leader worked a job", recovery, func() bool {
		f.changeNow(f.keys[:5]...)
		job := query[*string](f, `SELECT (SELECT '"job_id":' || id || ',' FROM river.river_job WHERE attempted_by[1] =
			(SELECT leader_id FROM river.river_leader WHERE expires_at > now()) AND state = 'completed' LIMIT 1)`)
		for _, p := range processes {
			if job != nil && strings.Contains(p.Log(), *job) {
				leader = p
			}
		}
		return leader != nil
	})
	f.settle(promptly)
	return leader
}
