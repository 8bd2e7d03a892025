package torture

import (
	"time"

	"github.com/claimsync/claimsync/clerk/clerktest"
)

// known is a process of which it is known what it is working on.
type known struct {
	*process
	f      *fleet
	client string // its name in River's attempted_by
}

// startFirst starts the first process of the fleet. It makes one change for it alone: whoever took its job is this one.
func (f *fleet) startFirst(config processConfig) *known {
	f.t.Helper()
	p := &known{process: f.start(config), f: f}
	f.changeNow(f.keys[0])
	f.until("the only process pushed", recovery, func() bool { return f.dirty() == 0 && len(f.clerk.Writes()) == 1 })
	p.client = query[string](f, `SELECT attempted_by[1] FROM river.river_job WHERE kind = 'outbox_delivery'`)
	return p
}

const workedOn = ` FROM river.river_job WHERE kind = 'outbox_delivery' AND state = 'running' AND attempted_by[cardinality(attempted_by)] = $1`

// running is how many jobs River counts as being worked on by the process.
func (p *known) running() int {
	p.f.t.Helper()
	return query[int](p.f, `SELECT count(*)`+workedOn, p.client)
}

// leases is how many organizations the process keeps from the others.
func (p *known) leases() int {
	p.f.t.Helper()
	return query[int](p.f, `SELECT count(*) FROM outbox WHERE lease_token IS NOT NULL AND job_id IN (SELECT id`+workedOn+`)`, p.client)
}

// inFlight is how many pushes of the process are at Clerk without an answer.
func (p *known) inFlight() int {
	p.f.t.Helper()
	held := map[string]bool{}
	for _, key := range query[[]string](p.f, `SELECT coalesce(array_agg(args->>'key'), '{}')`+workedOn, p.client) {
		held[key] = true
	}
	n := 0
	for _, request := range p.f.clerk.Requests() {
		if unanswered(request) && held[request.Organization] {
			n++
		}
	}
	return n
}

// inFlight is how many pushes are at Clerk without an answer.
func (f *fleet) inFlight() (n int) {
	for _, request := range f.clerk.Requests() {
		if unanswered(request) {
			n++
		}
	}
	return n
}

func unanswered(r clerktest.Request) bool { return r.Method == "PATCH" && r.Finished.IsZero() }

// untilClerkHas waits until Clerk has, of each organization that was ever changed, what is committed now or something
// newer, and returns how long after begun that was.
func (f *fleet) untilClerkHas(begun time.Time, patience time.Duration, keys ...string) time.Duration {
	f.t.Helper()
	last := begun
	for _, key := range keys {
		version := query[int64](f, `SELECT coalesce((SELECT desired_version FROM outbox WHERE key = $1), 0)`, key)
		f.untilClerk("pushed "+key, patience, func() bool {
			applied, ok := f.applied(key, version)
			if ok && applied.After(last) {
				last = applied
			}
			return ok || version == 0
		})
	}
	return last.Sub(begun).Round(time.Millisecond)
}

// applied is when Clerk first had the version of an organization, or a newer one.
func (f *fleet) applied(key string, version int64) (at time.Time, ok bool) {
	for _, write := range f.clerk.Writes() {
		if write.Organization == key && write.Version >= version {
			return write.Applied, true
		}
	}
	return time.Time{}, false
}
