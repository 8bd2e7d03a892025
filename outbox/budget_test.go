package outbox_test

import (
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/claimsync/claimsync/outbox"
)

// fleetOf is a configuration with a budget for the fleet, all of it ours.
func fleetOf(calls int, window time.Duration) outbox.Config {
	budget := outbox.Budget{Fleet: outbox.Limit{Calls: calls, Window: window}, Share: 1}
	return outbox.Config{Budgets: map[string]outbox.Budget{topic: budget}}
}

func (b *bench) reserve(priority outbox.Priority, probe bool) outbox.Reservation {
	b.t.Helper()
	reservation, err := b.box.Reserve(b.t.Context(), b.pool, topic, priority, probe)
	if err != nil {
		b.t.Fatal(err)
	}
	return reservation
}

// Fifty that ask at the same time get slots of their own, evenly spaced, and all there are.
func TestReserveIsOneBudgetForAll(t *testing.T) {
	b := newBench(t, fleetOf(100, 10*time.Second))
	if !b.reserve(outbox.PriorityLive, false).Granted {
		t.Error("the first call ever is not granted")
	}
	const processes, each = 50, 4
	var mu sync.Mutex
	var slots []time.Time
	var asking sync.WaitGroup
	begun := time.Now()
	for range processes {
		asking.Go(func() {
			for range each {
				reservation := b.reserve(outbox.PriorityLive, false)
				mu.Lock()
				slots = append(slots, time.Now().Add(reservation.Wait))
				mu.Unlock()
				if !reservation.Granted {
					t.Error("nothing granted")
				}
			}
		})
	}
	asking.Wait()
	took := time.Since(begun)
	slices.SortFunc(slots, time.Time.Compare)
	const spacing = 103 * time.Millisecond
	// A slot is known by the answer's arrival, which is up to that late.
	if span, want := slots[len(slots)-1].Sub(slots[0]), (processes*each-1)*spacing; span < want-took || span > want+took {
		t.Errorf("%d slots span %s, want %s give or take %s", len(slots), span, want, took)
	}
	var tat time.Duration
	err := b.pool.QueryRow(t.Context(), "SELECT tat - clock_timestamp() FROM destination").Scan(&tat)
	if most := (1 + processes*each) * spacing; err != nil || tat > most {
		t.Errorf("the next slot is %s ahead, %v; want at most %s: none may be lost", tat, err, most)
	}
}

func TestBudgetValidate(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		limit outbox.Limit
		want  string
	}{
		"no bound":                    {outbox.Limit{}, ""},
		"none, for a while":           {outbox.Limit{Window: time.Second}, ""},
		"some":                        {outbox.Limit{Calls: 10, Window: time.Second}, ""},
		"one a microsecond":           {outbox.Limit{Calls: 1_000_000, Window: time.Second}, ""},
		"without a window":            {outbox.Limit{Calls: 10}, "no Window"},
		"before it begins":            {outbox.Limit{Calls: 10, Window: -time.Second}, "less than none"},
		"none, before it begins":      {outbox.Limit{Window: -time.Second}, "less than none"},
		"less than none":              {outbox.Limit{Calls: -1, Window: time.Second}, "less than none"},
		"more than PostgreSQL counts": {outbox.Limit{Calls: 2_000_000_000, Window: time.Second}, "microsecond"},
	} {
		for which, budget := range map[string]outbox.Budget{"Fleet": {Fleet: test.limit}, "Key": {Key: test.limit}} {
			err := budget.Validate()
			if test.want == "" && err != nil ||
				test.want != "" && (err == nil || !strings.Contains(err.Error(), which) || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("%s, of %s: got %v, want %q", name, which, err, test.want)
			}
		}
	}
	for _, share := range []float64{-0.1, 1.1, math.NaN()} {
		if err := (outbox.Budget{Share: share}).Validate(); err == nil {
			t.Errorf("a share of %g is fine", share)
		}
	}
}

func TestReserve(t *testing.T) {
	b := newBench(t, fleetOf(10, 10*time.Second)) // one every 1.03 s
	b.reserve(outbox.PriorityLive, false)
	tests := []struct {
		name     string
		prepare  string // of the destination
		priority outbox.Priority
		probe    bool
		granted  bool
		wait     time.Duration
	}{
		{"idle", "tat = NULL", outbox.PriorityLive, false, true, 0},
		{"the last slot is long ago", "tat = clock_timestamp() - interval '1 hour'", outbox.PriorityLive, false, true, 0},
		{"ahead", "tat = clock_timestamp() + interval '5 s'", outbox.PriorityLive, false, true, 5 * time.Second},
		{"less urgent: spare", "tat = NULL", outbox.PriorityRoutine, false, true, 0},
		{"less urgent: nothing spare", "tat = clock_timestamp() + interval '5 s'", outbox.PriorityRoutine, false, false, 5 * time.Second},
		{"least urgent: nothing spare", "tat = clock_timestamp() + interval '5 s'", outbox.PriorityBackfill, false, false, 5 * time.Second},
		{"told to wait", "blocked_until = clock_timestamp() + interval '7 s', blocked_reason = 'x'", outbox.PriorityLive, false, false, 7 * time.Second},
		{"told to wait, a probe", "blocked_until = clock_timestamp() + interval '7 s', blocked_reason = 'x'", outbox.PriorityLive, true, false, 7 * time.Second},
		{"no longer told to wait", "tat = NULL, blocked_until = clock_timestamp() - interval '1 s', blocked_reason = 'x'", outbox.PriorityLive, false, true, 0},
		{"breaker open", breakerOpen, outbox.PriorityLive, false, false, 0},
		{"breaker open, a probe", "tat = NULL, " + breakerOpen, outbox.PriorityLive, true, true, 0},
	}
	for _, test := range tests {
		b.exec(`UPDATE destination SET blocked_until = NULL, blocked_reason = NULL, opened_at = NULL, open_cause = NULL,
			open_reason = NULL, probe_at = NULL`)
		begun := time.Now()
		b.exec("UPDATE destination SET " + test.prepare)
		got := b.reserve(test.priority, test.probe)
		if got.Granted != test.granted || got.Wait > test.wait || got.Wait < test.wait-time.Since(begun) {
			t.Errorf("%s: %+v, want %v, %s", test.name, got, test.granted, test.wait)
		}
	}
}

const breakerOpen = "opened_at = now(), open_cause = 'outage', open_reason = 'x', probe_at = now()"

// Others with the same key are noticed by their using up what we counted on: once for each block the budget shrinks, to a
// floor, and it grows back.
func TestThrottle(t *testing.T) {
	b := newBench(t, fleetOf(10, 10*time.Second))
	throttle := func() float64 {
		t.Helper()
		rate, err := b.box.Throttle(t.Context(), b.pool, topic, 5*time.Second, "429")
		if err != nil {
			t.Fatal(err)
		}
		return rate
	}
	equal(t, "after the first refusal", throttle(), 0.8)
	equal(t, "after another one of the same moment", throttle(), 0.8)
	standing, err := b.box.Standing(t.Context(), b.pool, topic)
	if err != nil || standing.Blocked == nil || standing.Blocked.Reason != "429" || standing.Rate != 0.8 {
		t.Errorf("standing: %+v, %v; want blocked at 0.8", standing, err)
	}
	b.exec("UPDATE destination SET blocked_until = now() - interval '1 s', rate_factor_at = now() - interval '20 s'")
	if rate := throttle(); rate < 0.72-1e-9 || rate > 0.73 {
		t.Errorf("20 s later, after one more: %g, want 0.8 of 0.9", rate)
	}
	for range 30 {
		b.exec("UPDATE destination SET blocked_until = now() - interval '1 s', rate_factor_at = now()")
		throttle()
	}
	b.exec("UPDATE destination SET blocked_until = NULL, blocked_reason = NULL")
	standing, err = b.box.Standing(t.Context(), b.pool, topic)
	if err != nil || standing.Rate < 0.02 || standing.Rate > 0.03 {
		t.Errorf("after many: %+v, %v; want a floor of 0.02", standing, err)
	}
	b.exec("UPDATE destination SET tat = clock_timestamp() + interval '1 s', rate_factor = 0.5, rate_factor_at = clock_timestamp()")
	b.reserve(outbox.PriorityLive, false)
	if wait := b.reserve(outbox.PriorityLive, false).Wait; wait < 2900*time.Millisecond || wait > 3060*time.Millisecond {
		t.Errorf("at half the budget the slot after the one in 1 s is in %s, want 3.06 s", wait)
	}
}

// A key has a budget of its own: two deliveries at once, then one at a time; reading it back costs nothing of it.
func TestKeyBudget(t *testing.T) {
	budget := outbox.Budget{Key: outbox.Limit{Calls: 10, Window: 10 * time.Second}}
	b := newBench(t, outbox.Config{Budgets: map[string]outbox.Budget{topic: budget}})
	b.mark("hot", "cold")
	for range 2 {
		lease := b.lease("hot")
		b.mark("hot")
		b.acknowledge(lease)
	}
	claim := b.claim("hot")
	equal(t, "third claim", claim.Verdict, outbox.Paced)
	if wait := time.Until(claim.Until); wait < time.Second || wait > 1288*time.Millisecond {
		t.Errorf("paced for %s, want 10.3 s / 8", wait)
	}
	b.lease("cold") // which has its own
	b.exec("UPDATE outbox SET tat = tat - interval '2 s' WHERE key = 'hot'")
	b.acknowledge(b.lease("hot"))
	b.exec("UPDATE outbox SET doubted_at = now(), verify_at = now(), tat = now() + interval '1 hour' WHERE key = 'hot'")
	equal(t, "claim for reading back", b.claim("hot").Verdict, outbox.Unverified)
	if tat := b.row("hot").Tat; time.Until(*tat) > time.Hour+time.Second {
		t.Errorf("reading back moved the budget to %s", tat)
	}
}
