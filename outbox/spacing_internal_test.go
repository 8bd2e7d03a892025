package outbox

import (
	"slices"
	"testing"
	"time"
)

// Whoever calls as soon as the budget lets him stays within the limit in any window, though calls may come closer to one another
// on their way, nearly by all of what is allowed for that; and he uses most of it.
func TestSpacingKeepsToLimit(t *testing.T) {
	t.Parallel()
	for _, share := range []float64{0.3, 0.5, 0.9, 1} {
		for _, calls := range []int{1, 2, 3, 5, 7, 10, 50, 100, 1000, 10_000} {
			limit := Limit{Calls: calls, Window: 10 * time.Second}
			budget := Budget{Fleet: limit, Key: limit, Share: share}
			ours := max(1, int(float64(calls)*share))

			// The whole of catchUp is made up for, then every slot is used.
			var fleet []time.Duration
			for at := time.Duration(0); at < 4*limit.Window; at += budget.fleetSpacing() {
				fleet = append(fleet, max(at, catchUp))
			}
			if most := mostIn(fleet, limit.Window+(jitter-catchUp)*9/10); most > ours {
				t.Errorf("fleet, share %g of %d: %d in a window, want at most %d", share, calls, most, ours)
			}
			if used := float64(len(fleet)) / 4; ours >= 10 && used < 0.95*float64(ours) {
				t.Errorf("fleet, share %g of %d: %g in a window on average, want 95 %% of %d", share, calls, used, ours)
			}

			spacing, burst := budget.keySpacing()
			var key []time.Duration
			for tat, now := time.Duration(0), time.Duration(0); now < 4*limit.Window; {
				if now = max(now, tat-burst); now < 4*limit.Window {
					key, tat = append(key, now), max(now, tat)+spacing
				}
			}
			if most := mostIn(key, limit.Window+jitter*9/10); most > ours {
				t.Errorf("key, share %g of %d: %d in a window, want at most %d", share, calls, most, ours)
			}
		}
	}
}

// mostIn returns the most of the sorted instants that any span of the window's length has.
func mostIn(instants []time.Duration, window time.Duration) (most int) {
	for i, from := range instants {
		end, _ := slices.BinarySearch(instants[i:], from+window)
		most = max(most, end)
	}
	return most
}
