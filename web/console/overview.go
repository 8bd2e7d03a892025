package console

import (
	"net/http"
	"strings"

	"github.com/claimsync/claimsync"
	"github.com/claimsync/claimsync/internal/timewords"
)

// overviewPage is whether there is anything to worry about.
type overviewPage struct {
	claimsync.Overview
	Health  claimsync.Health
	Verdict string
	Words   []string // what stands in the way of all
	Oldest  string   // how old the oldest change is
	Late    bool     // older than it should be

	Objective string
	Plot      plot
}

// The health words, for those who see no colours.
func (o *overviewPage) HealthWord() string {
	switch o.Health {
	case claimsync.HealthGood:
		return "Good"
	case claimsync.HealthPoor:
		return "Watch"
	default:
		return "Act"
	}
}

// PausedByHand is whether a person paused River's queue.
func (o *overviewPage) PausedByHand() bool {
	return pausedByHand(o.Gate.Queue) != nil
}

// announced is the verdict for those who hear it: without the figures that change by the second, so that it is said
// again only when it is another.
func (o *overviewPage) announced() string {
	switch {
	case o.Health == claimsync.HealthGood:
		return "Good: all is well."
	case !strings.ContainsAny(o.Verdict, "0123456789"):
		return o.HealthWord() + ": " + o.Verdict
	case o.Gate.OpenedBy != nil, o.Gate.PausedBy != nil:
		return o.HealthWord() + ": a person stopped the pushes."
	case o.Health == claimsync.HealthBad && o.Late:
		return o.HealthWord() + ": the oldest change has waited for too long."
	case o.Health == claimsync.HealthPoor && o.Counts.Parked.N > 0:
		return o.HealthWord() + ": organizations were given up on."
	default:
		return o.HealthWord() + "."
	}
}

// BudgetShare is how much of the budget is used, in percent.
func (o *overviewPage) BudgetShare() float64 {
	if o.Budget.PerSecond == 0 {
		return 0
	}
	return min(100, 100*o.Budget.Used/o.Budget.PerSecond)
}

// Alive is how many processes are.
func (o *overviewPage) Alive() (n int) {
	for _, process := range o.Fleet {
		if process.Alive {
			n++
		}
	}
	return n
}

func (c *console) overview(r *http.Request) (*page, error) {
	seen, err := c.sync.Overview(r.Context(), c.config.River)
	if err != nil {
		return nil, err
	}
	o := &overviewPage{
		Words: inSentences(&seen.Gate), Plot: newPlot(seen.Activity, seen.Gate.Now),
		Objective: timewords.Span(claimsync.Objective), Late: seen.OldestDirtyAge > claimsync.Objective && !seen.Backfilling,
	}
	o.Overview = seen
	o.Health, o.Verdict = seen.Verdict()
	if seen.OldestDirtyAge > 0 {
		o.Oldest = timewords.Span(seen.OldestDirtyAge)
	}
	return &page{
		name: "overview", Title: "Overview", Section: "/", Live: true, Status: o.announced(),
		Now: seen.Gate.Now, Body: o,
	}, nil
}
