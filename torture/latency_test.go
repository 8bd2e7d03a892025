package torture

import (
	"fmt"
	"slices"
	"time"
)

// latencies are how long changes took from their commit until Clerk had them, in order of length.
type latencies []time.Duration

// latencies are those of the changes that were made to some organizations between two instants.
func (f *fleet) latencies(among []string, from, to time.Time) (all latencies) {
	f.t.Helper()
	for _, r := range f.records() {
		if !slices.Contains(among, r.key) {
			continue
		}
		next := 0
		for _, c := range r.changes {
			for next < len(r.writes) && r.writes[next].Version < c.Version {
				next++
			}
			if next < len(r.writes) && c.At.After(from) && c.At.Before(to) {
				all = append(all, r.writes[next].Applied.Sub(c.At))
			}
		}
	}
	if len(all) < 50 {
		f.t.Fatalf("only %d changes arrived: too few to tell", len(all))
	}
	slices.Sort(all)
	return all
}

// quantile is the latency that a share of the changes did not exceed.
func (l latencies) quantile(share float64) time.Duration {
	return l[int(share*float64(len(l)-1))].Round(time.Millisecond)
}

func (l latencies) String() string {
	return fmt.Sprintf("%d changes, p50 %s, p99 %s, most %s", len(l), l.quantile(0.5), l.quantile(0.99), l.quantile(1))
}
