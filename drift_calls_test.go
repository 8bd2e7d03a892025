package claimsync_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/claimsync/claimsync"
	"github.com/claimsync/claimsync/clerk/clerktest"
	"github.com/claimsync/claimsync/outbox"
)

// While the breaker is open, nobody calls; nor does a check.
func TestDriftWithOpenBreaker(t *testing.T) {
	t.Parallel()
	d := newDrifting(t)
	_, err := d.sync.Outbox().Open(t.Context(), d.pool, d.waker, claimsync.Topic, "migration")
	d.must(err)
	_, err = d.sync.CheckDrift(t.Context(), d.waker, looking)
	if !errors.Is(err, claimsync.ErrBreakerOpen) || !strings.Contains(err.Error(), "(operator): migration") {
		t.Errorf("got %v", err)
	}
	if n := len(d.listRequests()); n != 0 {
		t.Errorf("%d list calls", n)
	}
	_, err = d.sync.Outbox().Close(t.Context(), d.pool, d.waker, claimsync.Topic)
	d.must(err)
	d.check(looking)
}

// What a failed list leads to: everybody waits if told so, what passes is tried again, and else it is said what to do.
func TestDriftFailures(t *testing.T) {
	t.Parallel()
	answer := func(status, count int, wait time.Duration) clerktest.Fault {
		return clerktest.Fault{Effect: clerktest.Answer, Status: status, Count: count, RetryAfter: wait}
	}
	limited := answer(429, 1, 2*time.Second)
	limited.Block = true
	tests := map[string]struct {
		fault clerktest.Fault
		calls int
		least time.Duration
		rate  float64 // of the budget that is used afterwards, at most
		err   string  // "": none
	}{
		"rate limited":       {fault: limited, calls: 2, least: 2 * time.Second, rate: 0.9},
		"told to come later": {fault: answer(503, 1, time.Second), calls: 2, least: time.Second, rate: 1},
		"an outage":          {fault: answer(500, 2, 0), calls: 3, least: 1500 * time.Millisecond, rate: 1},
		"truncated":          {fault: clerktest.Fault{Effect: clerktest.Truncate, Count: 1}, calls: 2, rate: 1},
		"a long outage":      {fault: answer(503, 0, 0), calls: 5, rate: 1, err: "given up after 5 tries: clerk: outage: status 503"},
		"a revoked key":      {fault: answer(401, 0, 0), calls: 1, rate: 1, err: "check CLERK_SECRET_KEY"},
		"no organizations":   {fault: answer(403, 0, 0), calls: 1, rate: 1, err: "check CLERK_SECRET_KEY"},
		"another address":    {fault: answer(404, 0, 0), calls: 1, rate: 1, err: "check CLERK_API_URL"},
		"refused":            {fault: answer(422, 0, 0), calls: 1, rate: 1, err: "clerk: park: status 422"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDrifting(t)
			d.clerk.SetFaults(test.fault)
			started := time.Now()
			_, err := d.sync.CheckDrift(t.Context(), d.waker, looking)
			if test.err == "" && err != nil || test.err != "" && (err == nil || !strings.Contains(err.Error(), test.err)) {
				t.Errorf("got %v, want %q", err, test.err)
			}
			requests := d.listRequests()
			if took := time.Since(started); len(requests) != test.calls || took < test.least {
				t.Errorf("%d list calls in %s, want %d in %s", len(requests), took, test.calls, test.least)
			}
			for _, request := range requests {
				if request.InBlock {
					t.Error("it called before Retry-After had passed")
				}
			}
			standing, err := d.sync.Outbox().Standing(t.Context(), d.pool, claimsync.Topic)
			if err != nil || standing.Rate > test.rate || test.rate == 1 && standing.Rate != 1 {
				t.Errorf("of the budget %g is used, want %g; %v", standing.Rate, test.rate, err)
			}
			if last, err := d.sync.LastDriftCheck(t.Context()); (last.Report == nil) != (test.err != "") || err != nil {
				t.Errorf("kept: %+v, %v", last, err)
			}
		})
	}
}

// Its calls keep to the budget of all, and wait while somebody more urgent wants to call.
func TestDriftIsPaced(t *testing.T) {
	t.Parallel()
	d := newDrifting(t, func(c *claimsync.Config) { c.RateLimit, c.RateShare = 40, 1 }) // a call every 257 ms
	d.create(numbered("o", 9)...)
	d.asPushed()
	const slot = 257 * time.Millisecond
	const urgent = 12
	var last time.Time
	for range urgent { // as so many processes that each have a slot ahead, more of them than pass while we reserve
		asked := time.Now()
		reservation, err := d.sync.Outbox().Reserve(t.Context(), d.pool, claimsync.Topic, outbox.PriorityLive, false)
		d.must(err)
		last = asked.Add(reservation.Wait) // or a little later
	}
	if time.Until(last) < 4*slot {
		t.Fatalf("the last slot is in %s: the test proves nothing", time.Until(last))
	}
	report := d.check(looking)
	requests := d.listRequests()
	if len(requests) != 2 || report.ListCalls != 2 {
		t.Fatalf("%d list calls, want 2", len(requests))
	}
	// A call may come late, and the next one soon after it; none comes before its slot.
	for i, request := range requests {
		if turn := last.Add(time.Duration(i+1) * slot); request.Started.Before(turn.Add(-slot / 2)) {
			t.Errorf("call %d came %s before its turn", i+1, turn.Sub(request.Started))
		}
	}
}

// It takes nothing from those who are more urgent: as long as there are any, it has no slot at all.
func TestDriftYields(t *testing.T) {
	t.Parallel()
	d := newDrifting(t, func(c *claimsync.Config) { c.RateLimit, c.RateShare = 40, 1 })
	ctx, cancel := context.WithCancel(t.Context())
	reserve := func() outbox.Reservation {
		reservation, err := d.sync.Outbox().Reserve(t.Context(), d.pool, claimsync.Topic, outbox.PriorityLive, false)
		d.must(err)
		return reservation
	}
	reserve()
	reserve()
	done := make(chan error)
	go func() {
		_, err := d.sync.CheckDrift(ctx, d.waker, looking)
		done <- err
	}()
	for ahead, until := reserve(), time.Now().Add(1500*time.Millisecond); time.Now().Before(until); ahead = reserve() {
		time.Sleep(ahead.Wait / 2) // never without a slot ahead
	}
	if n := len(d.listRequests()); n != 0 {
		t.Errorf("%d list calls beside what is urgent", n)
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("stopped: %v", err)
	}
}
