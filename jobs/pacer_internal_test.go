package jobs

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/riverqueue/river/rivertype"

	"github.com/claimsync/claimsync/outbox"
)

func jobOf(id int64, priority outbox.Priority, age time.Duration) *deliveryJob {
	return &deliveryJob{JobRow: &rivertype.JobRow{ID: id, Priority: int(priority), ScheduledAt: time.Now().Add(-age)}}
}

// script answers reservations one after the other, the last one for ever, and notes what was asked.
type script struct {
	mu      sync.Mutex
	answers []outbox.Reservation
	asked   []outbox.Priority
	err     error
}

func (s *script) reserve(_ context.Context, priority outbox.Priority) (outbox.Reservation, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, priority)
	if s.err != nil {
		return outbox.Reservation{}, s.err
	}
	answer := s.answers[0]
	if len(s.answers) > 1 {
		s.answers = s.answers[1:]
	}
	return answer, nil
}

func granted(wait time.Duration) outbox.Reservation {
	return outbox.Reservation{Granted: true, Wait: wait}
}

func denied(wait time.Duration) outbox.Reservation { return outbox.Reservation{Wait: wait} }

// Turns go to the most urgent, then to the oldest, whoever asked first; one at a time, at the pace of the slots.
func TestPacerOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{answers: []outbox.Reservation{granted(time.Second)}}
		p := newPacer(s.reserve)
		begun := time.Now()
		var mu sync.Mutex
		var order []int64
		var called []time.Duration
		for _, job := range []*deliveryJob{
			jobOf(1, outbox.PriorityRoutine, time.Hour), jobOf(2, outbox.PriorityLive, time.Minute),
			jobOf(3, outbox.PriorityLive, time.Hour), jobOf(4, outbox.PriorityLive, time.Minute),
			jobOf(5, outbox.PriorityBackfill, 24*time.Hour),
		} {
			go func() {
				if err := p.turn(t.Context(), job); err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				order, called = append(order, job.ID), append(called, time.Since(begun))
			}()
			synctest.Wait()
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if diff := cmp.Diff([]int64{3, 2, 4, 1, 5}, order); diff != "" {
			t.Errorf("order (-want +got):\n%s", diff)
		}
		for i, at := range called {
			if want := time.Duration(i+1) * time.Second; at != want {
				t.Errorf("turn %d after %s, want %s", i, at, want)
			}
		}
		if n := len(s.asked); n != 5 {
			t.Errorf("%d reservations for 5 turns", n)
		}
	})
}

// A turn that a job turned out not to need goes to the next at once, but not to one that comes much later: by then it
// would lie too close to the slot after it.
func TestPacerGiveBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{answers: []outbox.Reservation{granted(time.Second)}}
		p := newPacer(s.reserve)
		turn := func() time.Duration {
			begun := time.Now()
			if err := p.turn(t.Context(), jobOf(1, outbox.PriorityLive, 0)); err != nil {
				t.Fatal(err)
			}
			return time.Since(begun)
		}
		turn()
		p.giveBack()
		if waited := turn(); waited != 0 {
			t.Errorf("waited %s for a turn that was given back", waited)
		}
		p.giveBack()
		time.Sleep(turnKept)
		if waited := turn(); waited != time.Second {
			t.Errorf("waited %s, want a new slot's second", waited)
		}
		synctest.Wait()
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.running {
			t.Error("still running with nobody waiting")
		}
	})
}

// Whoever leaves is not called, and asks for nothing any more.
func TestPacerPatience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{answers: []outbox.Reservation{denied(time.Hour)}}
		p := newPacer(s.reserve)
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		begun := time.Now()
		err := p.turn(ctx, jobOf(1, outbox.PriorityLive, 0))
		if waited := time.Since(begun); !errors.Is(err, context.DeadlineExceeded) || waited != 2*time.Second {
			t.Errorf("%v after %s, want the deadline after 2 s", err, waited)
		}
		synctest.Wait() // and not for an hour: the bubble would find a goroutine
		if n := len(s.asked); n != 1 {
			t.Errorf("asked %d times, want once", n)
		}
	})
}

// While nothing is granted the budget is asked again when it said, and every second if it could not say: the breaker is
// open. Somebody more urgent is asked for at once.
func TestPacerDenied(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{answers: []outbox.Reservation{denied(5 * time.Second), denied(0), denied(0), granted(0)}}
		p := newPacer(s.reserve)
		begun := time.Now()
		if err := p.turn(t.Context(), jobOf(1, outbox.PriorityLive, 0)); err != nil {
			t.Fatal(err)
		}
		if waited := time.Since(begun); waited < 7*time.Second || waited > 7*time.Second+askSpread {
			t.Errorf("waited %s, want 5 s and twice 1 s", waited)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		s := &script{answers: []outbox.Reservation{denied(time.Hour), granted(0)}}
		p := newPacer(s.reserve)
		ctx, cancel := context.WithCancel(t.Context())
		left := make(chan error)
		go func() { left <- p.turn(ctx, jobOf(1, outbox.PriorityBackfill, 0)) }()
		synctest.Wait()
		begun := time.Now()
		if err := p.turn(t.Context(), jobOf(2, outbox.PriorityLive, 0)); err != nil || time.Since(begun) != 0 {
			t.Errorf("the urgent one: %v after %s", err, time.Since(begun))
		}
		cancel()
		<-left
		if diff := cmp.Diff([]outbox.Priority{outbox.PriorityBackfill, outbox.PriorityLive}, s.asked[:2]); diff != "" {
			t.Errorf("asked for (-want +got):\n%s", diff)
		}
	})
}

// A database that is away is everybody's failure, not a reason to wait.
func TestPacerFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		away := errors.New("away")
		p := newPacer((&script{err: away}).reserve)
		failures := make(chan error, 3)
		for id := range int64(3) {
			go func() { failures <- p.turn(t.Context(), jobOf(id, outbox.PriorityLive, 0)) }()
		}
		for range 3 {
			if err := <-failures; !errors.Is(err, away) {
				t.Errorf("%v, want %v", err, away)
			}
		}
	})
}

// A thousand that come and go: each turn is used by exactly one, or nobody was there.
func TestPacerUnderLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{answers: []outbox.Reservation{granted(10 * time.Millisecond)}}
		p := newPacer(s.reserve)
		begun := time.Now()
		var mu sync.Mutex
		var at []time.Duration
		gone := 0
		var all sync.WaitGroup
		for id := range int64(1000) {
			all.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(id%7)*time.Second+5*time.Millisecond)
				defer cancel()
				err := p.turn(ctx, jobOf(id, outbox.Priority(1+id%3), time.Duration(id)))
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					gone++
				} else {
					at = append(at, time.Since(begun))
				}
			})
		}
		all.Wait()
		slices.Sort(at)
		for i := 1; i < len(at); i++ {
			if at[i]-at[i-1] < 10*time.Millisecond {
				t.Fatalf("turns at %s and %s: of one slot", at[i-1], at[i])
			}
		}
		if len(at)+gone != 1000 || len(at) < 400 {
			t.Errorf("%d turns, %d gave up; of the 600 slots", len(at), gone)
		}
	})
}
