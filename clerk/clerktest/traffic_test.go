package clerktest_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/claimsync/claimsync/clerk/clerktest"
)

func instanceLimit(requests int) clerktest.Config {
	config := clerktest.WithoutLimits()
	config.InstanceLimit = clerktest.Limit{Requests: requests, Window: 10 * time.Second}
	return config
}

func TestTrafficCounts(t *testing.T) {
	t.Parallel()
	inBubble(t, clerktest.WithoutLimits(), func(t *testing.T, b *bubble) {
		count := func(at time.Duration, want int64) {
			t.Helper()
			b.at(at)
			if _, got := b.Traffic(); got != (clerktest.TrafficCount{Admitted: want}) {
				t.Errorf("at %s: %+v, want %d", at, got, want)
			}
		}
		b.SetTraffic(clerktest.Traffic{Requests: 500})
		count(10*time.Second, 500)
		b.SetTraffic(clerktest.Traffic{Requests: 50_000, Window: 10 * time.Second}) // more often than a ticker should tick
		count(20*time.Second, 50_500)
		b.SetTraffic(clerktest.Traffic{})
		count(30*time.Second, 50_500)
		if got, _ := b.Traffic(); got.Requests != 0 {
			t.Errorf("still %v", got)
		}
	})
}

// WaitFor sees the change itself, not only what is sent later.
func TestWaitForTraffic(t *testing.T) {
	t.Parallel()
	inBubble(t, clerktest.WithoutLimits(), func(t *testing.T, b *bubble) {
		seen := make(chan time.Duration)
		go func() {
			_ = b.WaitFor(t.Context(), func() bool { now, _ := b.Traffic(); return now.Requests > 0 })
			seen <- time.Since(b.began)
		}()
		b.at(time.Second)
		b.SetTraffic(clerktest.Traffic{Requests: 1, Window: time.Hour})
		if at := <-seen; at != time.Second {
			t.Errorf("seen at %s", at)
		}
	})
}

// Traffic takes what it sends off what is left for others, without a gap.
func TestTrafficFillsTheWindow(t *testing.T) {
	t.Parallel()
	inBubble(t, instanceLimit(100), func(t *testing.T, b *bubble) {
		b.SetTraffic(clerktest.Traffic{Requests: 90, Window: 10 * time.Second})
		b.at(10*time.Second + time.Millisecond)
		if got := b.Limits().Instance; got.Used != 90 || !got.BlockedUntil.IsZero() {
			t.Errorf("%+v", got)
		}
		for i := range 11 {
			want := 200
			if i == 10 {
				want = 429
			}
			if got := b.push("org_1"); got != want {
				t.Errorf("push %d: %d, want %d", i, got, want)
			}
		}
		if r := b.Requests()[10]; r.Limited != clerktest.LimitedInstance || r.InBlock {
			t.Errorf("%+v", r)
		}
	})
}

// Too much traffic blocks all.
func TestTrafficBlocks(t *testing.T) {
	t.Parallel()
	inBubble(t, instanceLimit(100), func(t *testing.T, b *bubble) {
		b.SetTraffic(clerktest.Traffic{Requests: 1000, Window: 10 * time.Second})
		b.at(1015 * time.Millisecond) // the hundredth came at 1 s, the one too many at 1.01 s
		if got := b.push("org_1"); got != 429 {
			t.Errorf("in the block: %d", got)
		}
		r := b.Requests()[0]
		if until := r.BlockedUntil.Sub(b.began); r.Limited != clerktest.LimitedInstance || !r.InBlock || until != 10010*time.Millisecond {
			t.Errorf("until %s: %+v", until, r)
		}
		b.at(10005 * time.Millisecond)
		if _, got := b.Traffic(); got != (clerktest.TrafficCount{Admitted: 100, Refused: 900, Blocks: 1}) {
			t.Errorf("%+v", got)
		}
		b.SetTraffic(clerktest.Traffic{})
		b.at(10010*time.Millisecond - 1)
		if got := b.push("org_1"); got != 429 {
			t.Errorf("at the end of the block: %d", got)
		}
		b.at(10010 * time.Millisecond)
		if got := b.push("org_1"); got != 200 {
			t.Errorf("after the block: %d", got)
		}
	})
}

func TestTrafficText(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]clerktest.Traffic{
		"500/10s": {Requests: 500, Window: 10 * time.Second}, "7": {Requests: 7}, "0": {}, "1/1m": {Requests: 1, Window: time.Minute},
	} {
		var got clerktest.Traffic
		if err := got.UnmarshalText([]byte(text)); err != nil {
			t.Errorf("%s: %v", text, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", text, diff)
		}
	}
	for _, bad := range []string{"", "x", "5/", "5/soon", "-1/10s", "5/-10s", "1000000/1s"} {
		if err := new(clerktest.Traffic).UnmarshalText([]byte(bad)); err == nil {
			t.Errorf("%q passed", bad)
		}
	}
}
