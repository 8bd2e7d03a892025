package jobs_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/claimsync/claimsync/internal/logtest"
	"github.com/claimsync/claimsync/jobs"
	"github.com/claimsync/claimsync/outbox"
)

func (f *fleet) exec(query string, args ...any) {
	f.t.Helper()
	if _, err := f.pool.Exec(f.t.Context(), query, args...); err != nil {
		f.t.Fatal(err)
	}
}

func (f *fleet) breaker() *outbox.Breaker {
	f.t.Helper()
	standing, err := f.config.Outbox.Standing(f.t.Context(), f.pool, topic)
	if err != nil {
		f.t.Fatal(err)
	}
	return standing.Breaker
}

func (f *fleet) queuePaused() bool {
	f.t.Helper()
	return f.count("SELECT count(*) FROM river.river_queue WHERE name = $1 AND paused_at IS NOT NULL", topic) == 1
}

// probeNow lets the next probe be made at once.
func (f *fleet) probeNow() {
	f.exec("UPDATE destination SET probe_at = clock_timestamp() WHERE opened_at IS NOT NULL")
}

// probeLater lets none be made until told to.
func (f *fleet) probeLater() {
	f.exec("UPDATE destination SET probe_at = clock_timestamp() + interval '1 hour' WHERE opened_at IS NOT NULL")
}

// probes is how many were recorded.
func (f *fleet) probes() int {
	return f.count("SELECT count(*) FROM outbox_delivery WHERE job_id IS NULL")
}

// failingWhile is a destination that fails while told to.
func failingWhile(broken *atomic.Bool, calls *atomic.Int32, failure *outbox.Failure) deliverFunc {
	return func(context.Context, string, int64) (outbox.Receipt, error) {
		calls.Add(1)
		if broken.Load() {
			return failure.Receipt, failure
		}
		return outbox.Receipt{Status: 200}, nil
	}
}

// An outage costs a few calls and then one for each probe; nobody is blamed, and when it is over all goes on by itself.
func TestOutage(t *testing.T) {
	t.Parallel()
	failures := map[string]*outbox.Failure{
		"it fails":        {Action: outbox.Outage, Receipt: outbox.Receipt{Status: 503}, Err: errors.New("down")},
		"it is silent":    {Action: outbox.Ambiguous, InDoubt: true, Err: errors.New("timeout")},
		"it refuses us":   {Action: outbox.Stop, Receipt: outbox.Receipt{Status: 401}, Err: errors.New("key revoked")},
		"it knows nobody": {Action: outbox.Missing, Receipt: outbox.Receipt{Status: 404}, Err: errors.New("not found")},
	}
	for name, failure := range failures {
		t.Run(name, func(t *testing.T) {
			var broken atomic.Bool
			var calls atomic.Int32
			broken.Store(true)
			f := newFleet(t, failingWhile(&broken, &calls, failure))
			f.config.MaxWorkers = 2
			f.start()
			f.start()
			for i := range 30 {
				f.mark(fmt.Sprint("k", i))
			}
			f.until("the breaker is open", func() bool { return f.breaker() != nil })
			f.probeLater()
			f.until("the queue is paused", f.queuePaused)
			// River notices the pause by a notification; what runs by then ends.
			f.until("nothing runs", func() bool { return f.count("SELECT count(*) FROM river.river_job WHERE state = 'running'") == 0 })
			if most, n := 10+4, int(calls.Load())-f.probes(); n > most { // ten unknown keys, and four workers that had begun
				t.Errorf("%d calls until the breaker kept everybody away, want at most %d", n, most)
			}
			for range 3 {
				made, probes := calls.Load(), f.probes()
				f.probeNow()
				f.until("a probe is recorded", func() bool { return f.probes() > probes })
				f.probeLater()
				if n := int(calls.Load() - made); n != f.probes()-probes {
					t.Errorf("%d calls for %d probes", n, f.probes()-probes)
				}
			}
			if f.breaker() == nil {
				t.Error("closed by probes that failed")
			}
			if n := f.count("SELECT count(*) FROM outbox WHERE parked_at IS NOT NULL"); n != 0 {
				t.Errorf("%d keys are parked", n)
			}
			if blamed := f.count("SELECT count(*) FROM outbox WHERE failures > 0"); blamed > 0 && failure.Receipt.Status/100 == 4 {
				t.Errorf("%d keys are blamed for the configuration", blamed)
			}

			broken.Store(false)
			f.probeNow()
			f.until("the breaker is closed", func() bool { return f.breaker() == nil })
			f.until("all are pushed", func() bool { return f.count("SELECT count(*) FROM outbox WHERE dirty_since IS NOT NULL") == 0 })
			if f.queuePaused() {
				t.Error("the queue is still paused")
			}
			if n := f.count("SELECT max(attempt) FROM river.river_job"); n > 1 {
				t.Errorf("it burned attempts: %d", n)
			}
		})
	}
}

// River's leader deletes queues that nobody has written for a day, by its own clock, paused or not. The end of an outage is told
// to the others all the same.
func TestOutageWithoutQueue(t *testing.T) {
	var broken atomic.Bool
	var calls atomic.Int32
	broken.Store(true)
	f := newFleet(t, failingWhile(&broken, &calls, &outbox.Failure{Action: outbox.Outage, Err: errors.New("down")}))
	f.start()
	for i := range 10 {
		f.mark(fmt.Sprint("k", i))
	}
	f.until("the breaker is open", func() bool { return f.breaker() != nil })
	f.probeLater()
	f.until("the queue is paused", f.queuePaused)
	f.until("nothing runs", func() bool { return f.count("SELECT count(*) FROM river.river_job WHERE state = 'running'") == 0 })
	f.exec("DELETE FROM river.river_queue")
	broken.Store(false)
	f.probeNow()
	f.until("the breaker is closed", func() bool { return f.breaker() == nil })
	f.until("all are pushed", func() bool { return f.count("SELECT count(*) FROM outbox WHERE dirty_since IS NOT NULL") == 0 })
}

// A process that starts probes at once: it may bring the right key.
func TestStartProbes(t *testing.T) {
	var broken atomic.Bool
	var calls atomic.Int32
	broken.Store(true)
	refused := &outbox.Failure{Action: outbox.Stop, Receipt: outbox.Receipt{Status: 401}, Err: errors.New("key revoked")}
	f := newFleet(t, failingWhile(&broken, &calls, refused))
	stop := f.start()
	f.mark("a")
	f.until("the breaker is open", func() bool { return f.breaker() != nil })
	stop()
	f.exec("UPDATE destination SET probe_at = now() + interval '1 hour'")
	broken.Store(false)
	f.start()
	f.untilClean("a")
}

// One key that makes the destination fail neither opens the breaker nor, if it is open, keeps it so.
func TestIllKeyIsNoOutage(t *testing.T) {
	var broken atomic.Bool
	f := newFleet(t, func(_ context.Context, key string, _ int64) (outbox.Receipt, error) {
		if key == "ill" || broken.Load() {
			receipt := outbox.Receipt{Status: 500}
			return receipt, &outbox.Failure{Action: outbox.Outage, Receipt: receipt, Err: errors.New("ill")}
		}
		return outbox.Receipt{Status: 200}, nil
	})
	f.start()
	f.mark("ill")
	f.until("it failed four times", func() bool { return len(f.deliveries("ill")) >= 4 })
	if f.breaker() != nil {
		t.Fatal("one key opened the breaker")
	}
	broken.Store(true)
	f.mark("a", "b", "c")
	f.until("the breaker is open", func() bool { return f.breaker() != nil })
	broken.Store(false)
	f.until("the breaker is closed", func() bool { f.probeNow(); return f.breaker() == nil })
	f.untilClean("a", "b", "c")
}

// What a person does to the breaker is in the log of those whom it stops.
func TestBreakerByHandIsLogged(t *testing.T) {
	var broken atomic.Bool
	var calls atomic.Int32
	f := newFleet(t, failingWhile(&broken, &calls, nil))
	var log logtest.Journal
	f.config.Logger = slog.New(slog.NewTextHandler(&log, nil))
	f.start()
	queue := f.waker.(jobs.Waker)
	if _, err := f.config.Outbox.Open(t.Context(), f.pool, queue, topic, "moving house"); err != nil {
		t.Fatal(err)
	}
	f.until("the opening is logged", func() bool { return strings.Contains(log.String(), "moving house") })
	f.mark("a")
	if _, err := f.config.Outbox.Close(t.Context(), f.pool, queue, topic); err != nil {
		t.Fatal(err)
	}
	f.until("the closing is logged", func() bool { return strings.Contains(log.String(), "A person closed the breaker") })
	f.untilClean("a")
	if n := strings.Count(log.String(), "A person opened"); n != 1 {
		t.Errorf("the opening is logged %d times", n)
	}
}

// While everybody is told to wait, jobs wait too, and keep their place.
func TestWaitKeepsOrder(t *testing.T) {
	var seen arrivals
	f := newFleet(t, func(ctx context.Context, key string, version int64) (outbox.Receipt, error) {
		time.Sleep(20 * time.Millisecond) // so that few overtake what River is putting back, which it does in batches
		return seen.Deliver(ctx, key, version)
	})
	f.config.MaxWorkers = 2
	f.config.Outbox = outbox.New(outbox.Config{Lease: 2 * time.Second})
	f.config.DeliveryTimeout = time.Second
	if err := f.config.Outbox.Block(t.Context(), f.pool, topic, 5*time.Second, "told to wait"); err != nil {
		t.Fatal(err)
	}
	want := make([]string, 100)
	for i := range want {
		want[i] = fmt.Sprintf("k%03d", i)
		f.mark(want[i])
	}
	f.start()
	f.until("jobs that waited are put back", func() bool {
		return f.count("SELECT count(*) FROM river.river_job WHERE metadata ? 'snoozes'") > 0
	})
	if keys, _ := seen.all(); len(keys) > 0 {
		t.Errorf("%d calls while told to wait", len(keys))
	}
	f.untilClean(want...)
	keys, _ := seen.all()
	for i, key := range keys {
		if at := slices.Index(want, key); at < i-len(want)/2 || at > i+len(want)/2 {
			t.Errorf("%s was call %d", key, i)
		}
	}
	if n := f.count("SELECT max(attempt) FROM river.river_job"); n != 1 {
		t.Errorf("waiting burned attempts: %d", n)
	}
}
