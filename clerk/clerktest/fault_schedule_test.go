package clerktest_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/claimsync/claimsync/clerk/clerktest"
)

func TestFaultSchedule(t *testing.T) {
	t.Parallel()
	inBubble(t, clerktest.WithoutLimits(), func(t *testing.T, b *bubble) {
		if err := b.SetScript("at 10s for 60s: 503\nat 70s: 409 once\nat 75s for 5s: 500 for org_1"); err != nil {
			t.Fatal(err)
		}
		for _, step := range []struct {
			at         time.Duration
			one, other int
		}{
			{0, 200, 200},
			{10*time.Second - 1, 200, 200},
			{10 * time.Second, 503, 503},
			{70*time.Second - 1, 503, 503},
			{70 * time.Second, 409, 200},
			{75 * time.Second, 500, 200},
			{80*time.Second - 1, 500, 200},
			{80 * time.Second, 200, 200},
		} {
			b.at(step.at)
			if one, other := b.push("org_1"), b.push("org_2"); one != step.one || other != step.other {
				t.Errorf("at %s: %d and %d, want %d and %d", step.at, one, other, step.one, step.other)
			}
		}
	})
}

// What Faults returns can be set again, and then goes on the same.
func TestFaultsShowsWhatIsLeft(t *testing.T) {
	t.Parallel()
	inBubble(t, clerktest.WithoutLimits(), func(t *testing.T, b *bubble) {
		outage := clerktest.Fault{Effect: clerktest.Answer, Status: 503, At: 10 * time.Second, For: time.Minute, Count: 3}
		slow := clerktest.Fault{Latency: time.Second, At: 70 * time.Second}
		b.SetFaults(outage, slow)
		check := func(at time.Duration, want ...clerktest.Fault) {
			t.Helper()
			b.at(at)
			if diff := cmp.Diff(append([]clerktest.Fault{}, want...), b.Faults()); diff != "" {
				t.Errorf("at %s: %s", at, diff)
			}
		}
		check(0, outage, slow)
		outage.At, slow.At = 6*time.Second, 66*time.Second
		check(4*time.Second, outage, slow)
		outage.At, outage.For, slow.At = 0, 40*time.Second, 40*time.Second
		check(30*time.Second, outage, slow)
		b.push("org_1")
		outage.Count = 2
		check(30*time.Second, outage, slow)
		outage.For, slow.At = time.Millisecond, time.Millisecond
		check(70*time.Second-1, outage, slow)
		slow.At = 0
		check(70*time.Second, slow)
		b.SetFaults(outage)
		check(70*time.Second + time.Millisecond)
	})
}

// A condition on the faults is asked again when one begins or ends, even if there are no requests.
func TestWaitForSeesTheSchedule(t *testing.T) {
	t.Parallel()
	inBubble(t, clerktest.WithoutLimits(), func(t *testing.T, b *bubble) {
		b.SetFaults(clerktest.Fault{Effect: clerktest.Hang, At: time.Hour, For: time.Minute})
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Hour)
		defer cancel()
		if err := b.WaitFor(ctx, func() bool { return len(b.Faults()) == 0 }); err != nil {
			t.Error(err)
		}
		if took := time.Since(b.began); took != 61*time.Minute {
			t.Errorf("after %s", took)
		}
	})
}

// A fault that blocks is as good as an exceeded limit.
func TestFaultBlocks(t *testing.T) {
	t.Parallel()
	inBubble(t, clerktest.WithoutLimits(), func(t *testing.T, b *bubble) {
		if err := b.SetScript("429 retry-after 7s block once\nat 20s: 429 retry-after 3s block once for org_1"); err != nil {
			t.Fatal(err)
		}
		for _, step := range []struct {
			at         time.Duration
			one, other int
		}{
			{time.Second, 429, 429}, // org_1 blocks all
			{8*time.Second - 1, 429, 429},
			{8 * time.Second, 200, 200},
			{20 * time.Second, 429, 200}, // itself only
			{23*time.Second - 1, 429, 200},
			{23 * time.Second, 200, 200},
		} {
			b.at(step.at)
			if one, other := b.push("org_1"), b.push("org_2"); one != step.one || other != step.other {
				t.Errorf("at %s: %d and %d, want %d and %d", step.at, one, other, step.one, step.other)
			}
		}
		var limited []clerktest.Limited
		for _, r := range b.Requests() {
			if r.Limited != "" && !r.InBlock {
				limited = append(limited, r.Limited)
			}
		}
		if diff := cmp.Diff([]clerktest.Limited{clerktest.LimitedInstance, clerktest.LimitedOrganization}, limited); diff != "" {
			t.Error(diff)
		}
	})
}
