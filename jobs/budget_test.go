package jobs_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/claimsync/claimsync/outbox"
)

// arrivals notes the calls that a destination gets.
type arrivals struct {
	mu   sync.Mutex
	keys []string
	at   []time.Time
}

func (a *arrivals) Deliver(_ context.Context, key string, _ int64) (outbox.Receipt, error) {
	a.note(key)
	return outbox.Receipt{Status: 200}, nil
}

func (a *arrivals) Verify(_ context.Context, key string, _ int64) (bool, outbox.Receipt, error) {
	a.note("verify " + key)
	return true, outbox.Receipt{Status: 200}, nil
}

func (a *arrivals) note(key string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.keys, a.at = append(a.keys, key), append(a.at, time.Now())
}

func (a *arrivals) all() ([]string, []time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.keys), slices.Clone(a.at)
}

// budgeted gives the fleet a budget, all of it ours.
func (f *fleet) budgeted(calls int, window time.Duration) {
	f.config.Outbox = outbox.New(outbox.Config{Budgets: map[string]outbox.Budget{
		topic: {Fleet: outbox.Limit{Calls: calls, Window: window}, Share: 1},
	}})
}

// Three processes keep to the one budget together, use nearly all of it, and push in the order of age, though each has
// many more workers than there are slots: what waits for its turn is put back in time, and no sweep takes it for lost.
func TestFleetKeepsToOneBudget(t *testing.T) {
	var seen arrivals
	f := newFleet(t, nil)
	f.config.Destinations[topic] = &seen
	const limit, window = 40, 2 * time.Second // one every 57.5 ms
	f.budgeted(limit, window)
	f.config.MaxWorkers = 8
	const keys, atWork = 120, 3 * 8
	for i := range keys {
		f.mark(fmt.Sprintf("k%03d", i))
	}
	for range 3 {
		f.start()
	}
	f.until("all are pushed", func() bool { return f.count("SELECT count(*) FROM outbox WHERE dirty_since IS NOT NULL") == 0 })

	order, at := seen.all()
	if len(order) != keys {
		t.Errorf("%d calls for %d keys", len(order), keys)
	}
	for i := range at {
		end, _ := slices.BinarySearchFunc(at, at[i].Add(window), time.Time.Compare)
		if end-i > limit*5/4 { // a busy machine may hold a few calls up
			t.Fatalf("%d calls in %s, want at most %d", end-i, window, limit*5/4)
		}
	}
	for i, key := range order {
		if most := fmt.Sprintf("k%03d", i+2*atWork); key > most {
			t.Errorf("call %d is of %s: it overtook more than the workers have at a time, twice", i, key)
		}
	}
	if n := f.count("SELECT count(*) FROM river.river_job"); n != keys {
		t.Errorf("%d jobs for %d keys: some were taken for lost", n, keys)
	}
	if n := f.count("SELECT max(attempt) FROM river.river_job"); n != 1 {
		t.Errorf("waiting for a turn burned attempts: %d", n)
	}
}

// What somebody changed goes before reading back what is in doubt, also when all workers are busy waiting to do that.
func TestLiveGoesBeforeVerification(t *testing.T) {
	var seen arrivals
	f := newFleet(t, nil)
	f.config.Destinations[topic] = &seen
	f.config.MaxWorkers = 4
	f.budgeted(20, 2*time.Second) // one every 115 ms
	for i := range 40 {
		f.mark(fmt.Sprint("doubtful", i))
	}
	f.exec("DELETE FROM river.river_job")
	f.exec(`UPDATE outbox SET synced_version = desired_version, dirty_since = NULL, job_id = NULL, doubted_at = now(), verify_at = now()`)
	f.start()
	f.until("reading back is under way", func() bool { keys, _ := seen.all(); return len(keys) >= 2 })
	before, _ := seen.all()
	for i := range 5 {
		f.mark(fmt.Sprint("live", i))
	}
	f.until("what is live is pushed", func() bool { return f.count("SELECT count(*) FROM outbox WHERE dirty_since IS NOT NULL") == 0 })
	after, _ := seen.all()
	overtaken := 0
	for _, key := range after[len(before):] {
		if key[0] == 'v' {
			overtaken++
		}
	}
	if overtaken > 10 { // the slot ahead, and those of the time until a worker was free for each
		t.Errorf("%d were read back before five changes were pushed: %v", overtaken, after[len(before):])
	}
}

// A process that stops does not wait for the turns of its jobs: they go back into the queue for others.
func TestStopLeavesTheTurns(t *testing.T) {
	var seen arrivals
	f := newFleet(t, nil)
	f.config.Destinations[topic] = &seen
	f.config.MaxWorkers = 4
	stopping, begin := context.WithCancel(t.Context())
	defer begin()
	f.config.Stopping = stopping
	if err := f.config.Outbox.Block(t.Context(), f.pool, topic, time.Hour, "told to wait"); err != nil {
		t.Fatal(err)
	}
	f.mark("a", "b", "c", "d")
	stop := f.start()
	f.until("all wait for their turn", func() bool { return f.count("SELECT count(*) FROM river.river_job WHERE state = 'running'") == 4 })
	begin()
	begun := time.Now()
	stop()
	if took := time.Since(begun); took > 4*time.Second { // waiting would take more than five, of which a busy machine takes some
		t.Errorf("stopping took %s", took)
	}
	if n := f.count("SELECT count(*) FROM river.river_job WHERE state = 'available' AND attempt = 0"); n != 4 {
		t.Errorf("%d of 4 jobs are back in the queue", n)
	}
}
