package jobs_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/claimsync/claimsync/db"
	"github.com/claimsync/claimsync/db/dbtest/pgproxy"
	"github.com/claimsync/claimsync/outbox"
)

func TestDelivery(t *testing.T) {
	f := newFleet(t, func(context.Context, string, int64) (outbox.Receipt, error) {
		return outbox.Receipt{Status: 200, TraceID: "trace"}, nil
	})
	f.start()
	f.mark("a", "b")
	f.untilClean("a", "b")
	log := f.deliveries("a")
	if len(log) != 1 || log[0].Outcome != "applied" || *log[0].Status != 200 || *log[0].TraceID != "trace" {
		t.Errorf("delivery log: %+v", log)
	}
	// In the same transaction as the acknowledgement, so without waiting.
	if n := f.count("SELECT count(*) FROM river.river_job WHERE state = 'completed'"); n != 2 {
		t.Errorf("%d jobs completed, want 2", n)
	}
}

// Several processes, and writers that never pause: every key ends on its newest state, with never two pushes in
// flight, and no push of an older state after a newer one.
func TestNoLostUpdate(t *testing.T) {
	const keys, writers, changes = 4, 4, 60
	var mu sync.Mutex
	pushed := map[string]int{} // the newest state at the destination
	inFlight := map[string]int{}
	var f *fleet
	f = newFleet(t, func(ctx context.Context, key string, _ int64) (outbox.Receipt, error) {
		var state int
		if err := f.pool.QueryRow(ctx, "SELECT state FROM facts WHERE key = $1", key).Scan(&state); err != nil {
			return outbox.Receipt{}, err
		}
		mu.Lock()
		inFlight[key]++
		if inFlight[key] > 1 {
			t.Errorf("%d pushes of %s in flight", inFlight[key], key)
		}
		mu.Unlock()
		time.Sleep(3 * time.Millisecond) // what a call takes
		mu.Lock()
		defer mu.Unlock()
		inFlight[key]--
		if state < pushed[key] {
			t.Errorf("%s went back from %d to %d", key, pushed[key], state)
		}
		pushed[key] = state
		return outbox.Receipt{Status: 200}, nil
	})
	ctx := t.Context()
	if _, err := f.pool.Exec(ctx, "CREATE TABLE facts (key text PRIMARY KEY, state int NOT NULL)"); err != nil {
		t.Fatal(err)
	}
	f.start()
	f.start()

	var writing sync.WaitGroup
	rollback := errors.New("rolled back")
	for range writers {
		writing.Go(func() {
			for i := range changes {
				key := fmt.Sprint("k", i%keys)
				err := pgx.BeginFunc(ctx, f.pool, func(tx pgx.Tx) error {
					_, err := tx.Exec(ctx, `INSERT INTO facts VALUES ($1, 1)
						ON CONFLICT (key) DO UPDATE SET state = facts.state + 1`, key)
					if err != nil {
						return err
					}
					if err := f.config.Outbox.MarkTx(ctx, tx, f.waker, topic, outbox.PriorityLive, key); err != nil {
						return err
					}
					if i%5 == 4 {
						return rollback
					}
					return nil
				})
				if err != nil && !errors.Is(err, rollback) {
					t.Error(err)
				}
			}
		})
	}
	writing.Wait()
	want := map[string]int{}
	for i := range keys {
		key := fmt.Sprint("k", i)
		f.untilClean(key)
		want[key] = f.count("SELECT state FROM facts WHERE key = $1", key)
	}
	mu.Lock()
	defer mu.Unlock()
	if diff := cmp.Diff(want, maps.Clone(pushed)); diff != "" {
		t.Errorf("state at the destination (-want +got):\n%s", diff)
	}
	// Coalescing: one job a push, none beside it.
	deliveries := f.count("SELECT count(*) FROM outbox_delivery")
	if inserted := f.count("SELECT count(*) FROM river.river_job"); inserted > deliveries {
		t.Errorf("%d jobs for %d deliveries", inserted, deliveries)
	}
	if woken := f.count("SELECT count(*) FROM outbox_delivery WHERE outcome <> 'applied'"); woken != 0 {
		t.Errorf("%d deliveries failed", woken)
	}
}

// What becomes of a row by what the destination answers first. River's attempts are for what is nobody's answer.
func TestFailures(t *testing.T) {
	t.Parallel()
	failure := func(action outbox.Action) error {
		return &outbox.Failure{
			Action: action, RetryAfter: time.Second, Receipt: outbox.Receipt{Status: 418}, Err: errors.New("no"),
		}
	}
	tests := map[string]struct {
		first    error
		outcomes []string // newest first
		attempts int
	}{
		"busy":               {failure(outbox.Retry), []string{"applied", "retry"}, 1},
		"outage":             {failure(outbox.Outage), []string{"applied", "outage"}, 1},
		"told to wait":       {failure(outbox.Wait), []string{"applied", "wait"}, 1},
		"ambiguous":          {failure(outbox.Ambiguous), []string{"applied", "ambiguous"}, 1},
		"of a later version": {failure("new"), []string{"applied", "retry"}, 1},
		"unexpected":         {errors.New("broken"), []string{"applied", "retry"}, 2},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var calls atomic.Int32
			f := newFleet(t, func(context.Context, string, int64) (outbox.Receipt, error) {
				if calls.Add(1) == 1 {
					return outbox.Receipt{}, test.first
				}
				return outbox.Receipt{Status: 200}, nil
			})
			f.start()
			f.mark("a")
			f.untilClean("a")
			var outcomes []string
			for _, delivery := range f.deliveries("a") {
				outcomes = append(outcomes, delivery.Outcome)
			}
			if diff := cmp.Diff(test.outcomes, outcomes); diff != "" {
				t.Errorf("outcomes (-want +got):\n%s", diff)
			}
			if n := f.count("SELECT max(attempt) FROM river.river_job"); n != test.attempts {
				t.Errorf("%d attempts, want %d", n, test.attempts)
			}
		})
	}
}

func TestParkedUntilItChanges(t *testing.T) {
	var calls atomic.Int32
	f := newFleet(t, func(context.Context, string, int64) (outbox.Receipt, error) {
		if calls.Add(1) == 1 {
			return outbox.Receipt{}, &outbox.Failure{Action: outbox.Park, Receipt: outbox.Receipt{Status: 422}, Err: errors.New("no")}
		}
		return outbox.Receipt{Status: 200}, nil
	})
	f.start()
	f.mark("a")
	f.until("a is parked", func() bool { return f.status("a").State == outbox.StateParked })
	if n := f.count("SELECT count(*) FROM river.river_job WHERE state <> 'completed'"); n != 0 {
		t.Errorf("%d jobs are left for a parked key", n)
	}
	f.mark("a")
	f.untilClean("a")
}

func TestPanicCostsAnAttempt(t *testing.T) {
	var calls atomic.Int32
	f := newFleet(t, func(context.Context, string, int64) (outbox.Receipt, error) {
		if calls.Add(1) == 1 {
			panic("bug")
		}
		return outbox.Receipt{Status: 200}, nil
	})
	f.config.Outbox = outbox.New(outbox.Config{Lease: 500 * time.Millisecond})
	f.config.DeliveryTimeout = 400 * time.Millisecond
	f.start()
	f.mark("a")
	f.untilClean("a")
	if got := f.deliveries("a"); len(got) != 2 || got[1].Outcome != "lost" {
		t.Errorf("delivery log: %+v, want the panic as lost", got)
	}
}

// A job that somebody deletes in River UI costs seconds, not the update.
func TestDeletedJobIsReplaced(t *testing.T) {
	f := newFleet(t, func(context.Context, string, int64) (outbox.Receipt, error) {
		return outbox.Receipt{Status: 200}, nil
	})
	f.mark("a")
	if n := f.count("WITH d AS (DELETE FROM river.river_job RETURNING 1) SELECT count(*) FROM d"); n != 1 {
		t.Fatalf("%d jobs deleted, want 1", n)
	}
	f.start()
	f.untilClean("a")
}

// A graceful stop waits for the push under way, loses nothing and burns no attempt.
func TestGracefulStop(t *testing.T) {
	started, finish := make(chan struct{}), make(chan struct{})
	f := newFleet(t, func(_ context.Context, key string, _ int64) (outbox.Receipt, error) {
		if key == "a" {
			close(started)
			<-finish
		}
		return outbox.Receipt{Status: 200}, nil
	})
	f.config.MaxWorkers = 1
	stop := f.start()
	f.mark("a")
	<-started
	f.mark("b")
	stopped := make(chan struct{})
	go func() { stop(); close(stopped) }()
	close(finish)
	<-stopped
	if state := f.status("a").State; state != outbox.StateClean {
		t.Errorf("a is %s after the stop, want clean: its push was under way", state)
	}
	f.start()
	f.untilClean("b")
	if n := f.count("SELECT max(attempt) FROM river.river_job"); n != 1 {
		t.Errorf("%d attempts, want 1", n)
	}
}

// A push that does not end in time at a stop is given back, for another process to do at once.
func TestStopReleasesWhatDoesNotEnd(t *testing.T) {
	var calls atomic.Int32
	started := make(chan struct{})
	f := newFleet(t, func(ctx context.Context, _ string, _ int64) (outbox.Receipt, error) {
		if calls.Add(1) == 1 {
			close(started)
			<-ctx.Done()
			return outbox.Receipt{}, &outbox.Failure{Action: outbox.Ambiguous, Err: ctx.Err()}
		}
		return outbox.Receipt{Status: 200}, nil
	})
	f.config.Outbox = outbox.New(outbox.Config{Lease: 2 * time.Hour})
	f.config.DeliveryTimeout = time.Hour // so that only the stop ends it
	f.config.SoftStopTimeout = 50 * time.Millisecond
	stop := f.start()
	f.mark("a")
	<-started
	stop()
	log := f.deliveries("a")
	if len(log) != 1 || log[0].Outcome != "canceled" {
		t.Errorf("delivery log: %+v, want one canceled", log)
	}
	f.start()
	f.untilClean("a")
	if n := f.count("SELECT max(attempt) FROM river.river_job"); n != 1 {
		t.Errorf("%d attempts, want 1", n)
	}
}

// late is a destination at which pushes may land long after they were given up on.
type late struct {
	deliverFunc
	inStep func() (bool, error)
}

func (l late) Verify(context.Context, string, int64) (bool, outbox.Receipt, error) {
	inStep, err := l.inStep()
	return inStep, outbox.Receipt{Status: 200}, err
}

// What verifying finds, and what follows from it.
func TestVerification(t *testing.T) {
	t.Parallel()
	broken := func(action outbox.Action) error { return &outbox.Failure{Action: action, Err: errors.New("no")} }
	tests := map[string]struct {
		inStep   bool
		err      error    // of the first verification
		outcomes []string // newest first, after the ambiguous push and its repetition
	}{
		"in step":     {true, nil, []string{"verified"}},
		"overwritten": {false, nil, []string{"applied", "overwritten"}},
		"busy":        {true, broken(outbox.Retry), []string{"verified", "retry"}},
		"missing":     {true, broken(outbox.Missing), []string{"applied", "overwritten"}},
		"refused":     {true, broken(outbox.Park), []string{"applied", "overwritten"}},
		"unexpected":  {true, errors.New("broken"), []string{"verified", "retry"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var pushes, verifications atomic.Int32
			f := newFleet(t, nil)
			f.config.Destinations[topic] = late{
				func(context.Context, string, int64) (outbox.Receipt, error) {
					if pushes.Add(1) == 1 {
						return outbox.Receipt{}, &outbox.Failure{Action: outbox.Ambiguous, InDoubt: true, Err: errors.New("timeout")}
					}
					return outbox.Receipt{Status: 200}, nil
				},
				func() (bool, error) {
					if verifications.Add(1) == 1 {
						return test.inStep, test.err
					}
					return true, nil
				},
			}
			f.start()
			f.mark("a")
			f.untilClean("a")
			if _, err := f.pool.Exec(t.Context(), "UPDATE outbox SET verify_at = clock_timestamp()"); err != nil {
				t.Fatal(err)
			}
			want := append(slices.Clone(test.outcomes), "applied", "ambiguous")
			f.until("the log has all outcomes", func() bool { return len(f.deliveries("a")) >= len(want) })
			f.untilClean("a")
			var got []string
			for _, delivery := range f.deliveries("a") {
				got = append(got, delivery.Outcome)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("outcomes (-want +got):\n%s", diff)
			}
			if n := f.count("SELECT count(*) FROM outbox WHERE verify_at > clock_timestamp() AND parked_at IS NULL"); n != 1 {
				t.Error("no next verification is planned")
			}
		})
	}
}

// A caller's transaction that holds the row for a few seconds makes no push be repeated: its result waits.
func TestResultWaitsForTheRow(t *testing.T) {
	const held = 4 * time.Second
	var f *fleet
	var holding sync.WaitGroup
	f = newFleet(t, func(ctx context.Context, key string, _ int64) (outbox.Receipt, error) {
		tx, err := f.pool.Begin(context.WithoutCancel(ctx))
		if err != nil {
			return outbox.Receipt{}, err
		}
		if _, err := tx.Exec(ctx, "SELECT FROM outbox WHERE key = $1 FOR UPDATE", key); err != nil {
			return outbox.Receipt{}, errors.Join(err, tx.Rollback(context.WithoutCancel(ctx)))
		}
		holding.Go(func() {
			time.Sleep(held)
			if err := tx.Commit(context.WithoutCancel(ctx)); err != nil {
				t.Error(err)
			}
		})
		return outbox.Receipt{Status: 200}, nil
	})
	t.Cleanup(holding.Wait)
	f.start()
	f.mark("a")
	f.untilClean("a")
	if log := f.deliveries("a"); len(log) != 1 || log[0].Outcome != "applied" {
		t.Errorf("delivery log: %+v, want one applied", log)
	}
}

// An attempt that breaks is in the log, wherever it broke.
func TestBrokenAttemptIsLogged(t *testing.T) {
	f := newFleet(t, func(context.Context, string, int64) (outbox.Receipt, error) {
		return outbox.Receipt{}, errors.New("out of paper")
	})
	logged := make(chan slog.Record, 1)
	f.config.Logger = slog.New(recording{slog.DiscardHandler, logged})
	f.start()
	f.mark("a")
	select {
	case record := <-logged:
		var said []string
		record.Attrs(func(attr slog.Attr) bool {
			said = append(said, attr.String())
			return true
		})
		if text := strings.Join(said, " "); !strings.Contains(text, "key=a") || !strings.Contains(text, "out of paper") {
			t.Errorf("logged %q %s", record.Message, text)
		}
	case <-time.After(patience):
		t.Error("nothing is logged")
	}
}

// recording hands on the first error that is logged.
type recording struct {
	slog.Handler
	first chan slog.Record
}

func (recording) Enabled(context.Context, slog.Level) bool { return true }

func (r recording) Handle(_ context.Context, record slog.Record) error {
	if record.Level >= slog.LevelError {
		select {
		case r.first <- record:
		default:
		}
	}
	return nil
}

// What many jobs have to ask the database at a time, one statement asks for all of them.
func TestJobsAskTogether(t *testing.T) {
	const organizations = 20
	var delivered sync.WaitGroup
	delivered.Add(organizations)
	f := newFleet(t, func(context.Context, string, int64) (outbox.Receipt, error) {
		delivered.Done()
		return outbox.Receipt{Status: 200}, nil
	})
	proxy, err := pgproxy.Start(f.pool.Config().ConnString())
	if err != nil {
		t.Fatal(err)
	}
	f.config.Pool, err = db.Open(t.Context(), proxy.URL())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		f.config.Pool.Close()
		if err := proxy.Close(); err != nil {
			t.Error(err)
		}
	})
	claims, acknowledgements := proxy.Count("name: OutboxClaim "), proxy.Count("name: OutboxAcknowledge ")
	claim, acknowledge := proxy.BreakBefore("OutboxClaim"), proxy.BreakBefore("OutboxAcknowledge")
	var keys []string
	for i := range organizations {
		keys = append(keys, fmt.Sprint("org_", i))
	}
	f.mark(keys...)
	f.start()
	if err := claim.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.until("all jobs are fetched", func() bool {
		return f.count("SELECT count(*) FROM river.river_job WHERE state = 'running'") == organizations
	})
	claim.Release()
	if err := acknowledge.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	delivered.Wait()
	acknowledge.Release()
	f.untilClean(keys...)
	// Two of each, if nobody is late.
	if claims.N() > organizations/2 || acknowledgements.N() > organizations/2 {
		t.Errorf("%d statements claim and %d acknowledge %d pushes", claims.N(), acknowledgements.N(), organizations)
	}
}
