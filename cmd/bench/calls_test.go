package main

import (
	"net/http"
	"testing"
	"time"

	"github.com/claimsync/claimsync/clerk/clerktest"
)

var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func at(d time.Duration) time.Time { return start.Add(d) }

func TestMostCallsInAnySpan(t *testing.T) {
	t.Parallel()
	var c calls
	for _, second := range []time.Duration{0, 1, 10, 10, 11, 19, 30} {
		c = append(c, clerktest.Request{Started: at(second * time.Second)})
	}
	if got := c.most(10 * time.Second); got != 4 { // the end of the span does not belong to it
		t.Errorf("%d in any 10 s, want 4", got)
	}
}

func TestInsideBlocks(t *testing.T) {
	t.Parallel()
	refused := func(block, started time.Duration, inside bool) clerktest.Request {
		return clerktest.Request{
			Started: at(started), Finished: at(started + 30*time.Millisecond), Status: http.StatusTooManyRequests,
			InBlock: inside, BlockedUntil: at(block),
		}
	}
	const first, second = 10 * time.Second, 60 * time.Second
	c := calls{
		refused(first, 0, false),                  // exceeds the limit
		refused(first, 20*time.Millisecond, true), // was on its way
		{Started: at(15 * time.Second), Status: http.StatusOK},
		refused(second, 50*time.Second, true), // another's block, of which it is the first to learn
		refused(second, 50*time.Second+100*time.Millisecond, true),
		refused(second, 50*time.Second+140*time.Millisecond, true), // should have known
	}
	if blocks, inside, knowing := c.insideBlocks(); blocks != 2 || inside != 4 || knowing != 1 {
		t.Errorf("%d blocks, %d calls inside, %d knowing; want 2, 4, 1", blocks, inside, knowing)
	}
}

func TestPercentile(t *testing.T) {
	t.Parallel()
	var hundred latencies
	for i := range 100 {
		hundred = append(hundred, time.Duration(i+1))
	}
	tests := []struct {
		of      latencies
		percent float64
		want    time.Duration
	}{{hundred, 99, 99}, {hundred, 99.5, 100}, {hundred, 50, 50}, {hundred, 100, 100}, {hundred[:1], 50, 1}, {hundred[:10], 99, 10}}
	for _, test := range tests {
		if got := test.of.percentile(test.percent).Duration; got != test.want {
			t.Errorf("%v %% of %d: %d, want %d", test.percent, len(test.of), got, test.want)
		}
	}
	if within(time.Hour, "of none", latencies(nil).percentile(99)).ok() {
		t.Error("a bound on nothing is kept")
	}
}
