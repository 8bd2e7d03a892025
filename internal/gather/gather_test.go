package gather_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/claimsync/claimsync/internal/gather"
)

// desk carries out calls: each many takes a second, and each one is noted.
type desk struct {
	*gather.Group[int, string]
	many  func(ctx context.Context, args []int) ([]*string, error)
	trips [][]int // of many; negative: of one
}

func newDesk() *desk {
	d := &desk{many: func(_ context.Context, args []int) ([]*string, error) {
		return slices.Repeat([]*string{new("together")}, len(args)), nil
	}}
	var mu sync.Mutex
	note := func(args ...int) {
		mu.Lock()
		defer mu.Unlock()
		d.trips = append(d.trips, args)
	}
	d.Group = gather.New(
		func(ctx context.Context, args []int) ([]*string, error) {
			note(slices.Sorted(slices.Values(args))...)
			time.Sleep(time.Second)
			return d.many(ctx, args)
		},
		func(_ context.Context, arg int) (string, error) {
			note(-arg)
			return "alone", nil
		},
	)
	return d
}

// call makes a call after a delay, and notes what came of it and when, and whether that was to be.
func (d *desk) call(t *testing.T, delay time.Duration, arg int, want string, wantErr error, wantAfter time.Duration) {
	begun := time.Now()
	time.Sleep(delay)
	got, err := d.Do(t.Context(), arg)
	if got != want || !errors.Is(err, wantErr) || time.Since(begun) != wantAfter {
		t.Errorf("call %d: %q, %v after %s; want %q, %v after %s", arg, got, err, time.Since(begun), want, wantErr, wantAfter)
	}
}

func (d *desk) wantTrips(t *testing.T, want ...[]int) {
	t.Helper()
	if diff := cmp.Diff(want, d.trips); diff != "" {
		t.Errorf("trips (-want +got):\n%s", diff)
	}
}

const half = 500 * time.Millisecond

// A call that comes alone goes at once; those that come while it is under way go together when it has ended.
func TestCallsTravelTogether(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		var calls sync.WaitGroup
		calls.Go(func() { d.call(t, 0, 1, "together", nil, time.Second) })
		for arg := range 3 {
			calls.Go(func() { d.call(t, half, 2+arg, "together", nil, 2*time.Second) })
		}
		calls.Go(func() { d.call(t, 5*time.Second, 5, "together", nil, 6*time.Second) })
		calls.Wait()
		d.wantTrips(t, []int{1}, []int{2, 3, 4}, []int{5})
	})
}

// What is not carried out together is carried out alone.
func TestLeftOutGoesAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		d.many = func(_ context.Context, args []int) ([]*string, error) {
			results := make([]*string, len(args))
			results[0] = new("together")
			return results, nil
		}
		var calls sync.WaitGroup
		calls.Go(func() { d.call(t, 0, 1, "together", nil, time.Second) })
		calls.Go(func() { d.call(t, half, 2, "together", nil, 2*time.Second) })
		calls.Go(func() { d.call(t, half+1, 3, "alone", nil, 2*time.Second) })
		calls.Wait()
		d.wantTrips(t, []int{1}, []int{2, 3}, []int{-3})
	})
}

// An error is that of all that travelled together, and of nobody else.
func TestErrors(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		fine := d.many
		d.many = func(ctx context.Context, args []int) ([]*string, error) {
			if len(args) == 2 {
				return nil, broken
			}
			return fine(ctx, args)
		}
		var calls sync.WaitGroup
		calls.Go(func() { d.call(t, 0, 1, "together", nil, time.Second) })
		calls.Go(func() { d.call(t, half, 2, "", broken, 2*time.Second) })
		calls.Go(func() { d.call(t, half, 3, "", broken, 2*time.Second) })
		calls.Go(func() { d.call(t, half+time.Second, 4, "together", nil, 3*time.Second) })
		calls.Wait()
	})
}

// What hangs keeps nobody for long: each goes alone then.
func TestHanging(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		d.many = func(ctx context.Context, _ []int) ([]*string, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}
		d.call(t, 0, 1, "alone", nil, 2*time.Second)
		d.wantTrips(t, []int{1}, []int{-1})
	})
}

// A caller who goes away leaves at once, is not carried out if it was not its turn yet, and takes nobody along.
func TestCallersWhoGoAway(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		var calls sync.WaitGroup
		leave := func(arg int) {
			calls.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), half)
				defer cancel()
				begun := time.Now()
				if _, err := d.Do(ctx, arg); !errors.Is(err, context.DeadlineExceeded) || time.Since(begun) != half {
					t.Errorf("call %d: %v after %s; want its context's error after %s", arg, err, time.Since(begun), half)
				}
			})
		}
		leave(1)
		synctest.Wait()
		leave(2)
		calls.Go(func() { d.call(t, 0, 3, "together", nil, 2*time.Second) })
		calls.Wait()
		d.wantTrips(t, []int{1}, []int{3})
	})
}
