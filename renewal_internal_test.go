package claimsync

import (
	"context"
	"testing"
	"time"

	"github.com/claimsync/claimsync/outbox"
)

// Renew is what a process does each time it looks whether to renew, for tests that have to know that it has.
func (s *Sync) Renew(ctx context.Context, waker outbox.Waker) error { return s.renew(ctx, waker) }

// A walk keeps to its pace, makes up for what it missed in batches, and ends what is left once its time is over.
func TestRenewalSize(t *testing.T) {
	t.Parallel()
	r := renewal{every: 8 * time.Hour}
	for _, test := range []struct {
		total, done int64
		elapsed     time.Duration
		want        int32
	}{
		{1000, 0, 0, 0}, {1000, 0, time.Second, 0}, {1000, 0, 4 * time.Second, 1}, {1000, 1, 4 * time.Second, 0},
		{1000, 450, 30 * time.Minute, 50}, {1000, 500, 30 * time.Minute, 0}, {1000, 600, 30 * time.Minute, 0},
		{1000, 0, 30 * time.Minute, renewalBatch}, {1000, 999, time.Hour - time.Nanosecond, 0},
		{1000, 1000, time.Hour, renewalBatch}, {1000, 1500, 2 * time.Hour, renewalBatch}, {0, 0, time.Minute, 0}, {0, 0, time.Hour, renewalBatch},
		{1e9, 0, time.Minute, renewalBatch}, {1000, 500, -time.Hour, renewalBatch},
	} {
		if got := r.size(test.total, test.done, test.elapsed); got != test.want {
			t.Errorf("%d of %d after %s: %d, want %d", test.done, test.total, test.elapsed, got, test.want)
		}
	}
}

// A walk is late by as long as the next organization, or its end, has been due: less than two looks is in time.
func TestRenewalLate(t *testing.T) {
	t.Parallel()
	r := renewal{every: 8 * time.Hour}
	for _, test := range []struct {
		total, done   int64
		elapsed, want time.Duration
	}{
		{60, 0, 0, 0}, {60, 0, time.Minute + 7*time.Second, 0}, {60, 0, time.Minute + 8*time.Second, 8 * time.Second},
		{60, 29, time.Hour, 30 * time.Minute}, {60, 59, time.Hour, 0}, {60, 59, 3 * time.Hour, 2 * time.Hour},
		{60, 60, 2 * time.Hour, time.Hour}, {60, 90, 2 * time.Hour, time.Hour}, {0, 0, time.Hour, 0}, {0, 0, 2 * time.Hour, time.Hour},
		{1, 0, 59 * time.Minute, 0}, {60, 0, -time.Hour, 0},
	} {
		if got := r.behind(test.total, test.done, test.elapsed); got != test.want {
			t.Errorf("%d of %d after %s: %s late, want %s", test.done, test.total, test.elapsed, got, test.want)
		}
	}
}

// Whatever the walk of an organization's turn finds to be young enough is not too old when the walk after the next comes by.
func TestRenewalAge(t *testing.T) {
	t.Parallel()
	r := renewal{every: 24 * time.Hour}
	if r.period() != 3*time.Hour || r.age() != 18*time.Hour || r.age()+2*r.period() > r.every {
		t.Errorf("a walk of %s renews what is older than %s", r.period(), r.age())
	}
}
