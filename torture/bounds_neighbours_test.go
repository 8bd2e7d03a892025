package torture

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/claimsync/claimsync/clerk/clerktest"
)

// One organization that Clerk refuses each time, and one that is changed as fast as one writer can: the others do not
// wait for them. With and without take turns in one run, so that what else the machine does hits both. Where that is too
// much to compare anything, it is measured again: what the program does to them will be there again.
func TestNeighbours(t *testing.T) {
	// floor is what the machine itself may add: beside the hot one, two processors have to commit as many changes as they
	// can, and a push that would take no time at all waits some slices of the scheduler, of up to 4 ms each, on its way
	// through Postgres, a process, Clerk and back.
	const neighbours, floor, measurements = 40, 20 * time.Millisecond, 3
	rounds, changes := sized(2, 4), sized(150, 800)
	f := newFleet(t, 2+neighbours)
	poisoned, hot, others := f.keys[0], f.keys[1], f.keys[2:]
	f.startMany(2, processConfig{})
	f.clerk.SetFaults(usual)
	f.changeSteadily(others, changes/2) // until connections and plans are warm

	var got, most time.Duration
	for range measurements {
		var without, with latencies
		for range rounds {
			without = append(without, f.changeSteadily(others, changes)...)
			end := f.disturb(poisoned, hot)
			with = append(with, f.changeSteadily(others, changes)...)
			end()
		}
		slices.Sort(without)
		slices.Sort(with)
		t.Logf("without them: %s; with them: %s", without, with)
		got, most = with.quantile(0.99), 2*without.quantile(0.99)+floor
		if calm := without.quantile(0.99) < 3*without.quantile(0.5); calm && got <= most {
			break
		}
	}
	f.clerk.ClearFaults()
	// That the refused pushes did not land either is read back ten seconds later. It is not what is measured here.
	f.until("every change is pushed", recovery, func() bool { return f.dirty() == 0 })

	figures := f.judge(tolerance{})
	hotChanges := query[int](f, `SELECT n FROM tally WHERE key = $1`, hot)
	t.Logf("%d of %d changes were of the hot one; the poisoned one was refused %d times", hotChanges, figures.changes, f.refusals())
	if hotChanges < rounds*changes/2 || f.refusals() < 2*rounds { // to the others' rounds*changes, on a machine of any speed
		t.Error("they were no burden: the test proves nothing")
	}
	bound(t, "p99 of the others beside a poisoned and a hot one", got, most)
	bound(t, "most pushes of one organization in flight", figures.inFlight, 1)
}

// changeSteadily makes that many changes, to one organization after another, each when its time has come, whether the
// earlier ones are done or not. It waits until all is pushed, and returns how long each took from its commit until Clerk
// had it.
func (f *fleet) changeSteadily(keys []string, changes int) latencies {
	f.t.Helper()
	begun := time.Now()
	var writers sync.WaitGroup
	for i := range changes {
		time.Sleep(time.Until(begun.Add(time.Duration(i) * time.Second / 80)))
		writers.Go(func() { f.changeBeside(keys[i%len(keys)]) })
	}
	writers.Wait()
	ended := time.Now()
	f.untilClerkHas(ended, recovery, keys...)
	return f.latencies(keys, begun, ended)
}

// changeBeside is changeNow for a goroutine that is not the test's. It does not end the test.
func (f *fleet) changeBeside(key string) {
	ctx := context.WithoutCancel(f.t.Context()) // a transaction is not cut short by the end of the test
	err := pgx.BeginFunc(ctx, f.pool, func(tx pgx.Tx) error { return f.changeTx(ctx, tx, []string{key}, false) })
	if err != nil {
		f.t.Errorf("a writer failed: %v", err)
	}
}

// disturb makes Clerk refuse one organization, and changes another one all the time, until end.
func (f *fleet) disturb(poisoned, hot string) (end func()) {
	f.t.Helper()
	refusal := clerktest.Fault{Effect: clerktest.Answer, Status: http.StatusInternalServerError, Organization: poisoned, Latency: usual.Latency}
	f.clerk.SetFaults(refusal, usual)
	before := f.refusals()
	f.changeNow(poisoned)
	ctx, cancel := context.WithCancel(f.t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		for ctx.Err() == nil {
			f.changeBeside(hot)
		}
	})
	f.t.Cleanup(func() { cancel(); wg.Wait() })
	f.untilClerk("the poisoned one is refused", recovery, func() bool { return f.refusals() > before })
	return func() {
		cancel()
		wg.Wait()
		f.clerk.SetFaults(usual)
		f.untilClerkHas(time.Now(), recovery, hot)
	}
}

// refusals is how many pushes Clerk answered with 500.
func (f *fleet) refusals() (n int) {
	for _, request := range f.clerk.Requests() {
		if request.Status == http.StatusInternalServerError {
			n++
		}
	}
	return n
}
