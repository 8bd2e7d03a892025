package console

import (
	"context"
	"net/http"
	"time"

	"github.com/claimsync/claimsync"
	"github.com/claimsync/claimsync/outbox"
	"github.com/claimsync/claimsync/web/operator"
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
	PausedBy  *claimsync.OperatorAction // nil: nobody did, or nobody knows who
	OpenedBy  *claimsync.OperatorAction
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
	return o.Gate.Queue.PausedAt != nil && !o.Gate.Queue.PausedByBreaker
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
		Overview: seen, Words: seen.Gate.InWords(), Plot: newPlot(seen.Activity, seen.Gate.Now),
		Objective: claimsync.Span(claimsync.Objective), Late: seen.OldestDirtyAge > claimsync.Objective,
	}
	o.Health, o.Verdict = seen.Verdict()
	if seen.OldestDirtyAge > 0 {
		o.Oldest = claimsync.Span(seen.OldestDirtyAge)
	}
	if o.PausedBy, o.OpenedBy, err = c.whoDid(r.Context(), seen.Gate); err != nil {
		return nil, err
	}
	return &page{name: "overview", Title: "Overview", Section: "/", Live: true, Now: seen.Gate.Now, Body: o}, nil
}

// whoDid looks for who stopped everything, if a person did.
func (c *console) whoDid(ctx context.Context, gate claimsync.Gate) (paused, opened *claimsync.OperatorAction, err error) {
	if at := gate.Queue.PausedAt; at != nil && !gate.Queue.PausedByBreaker {
		if paused, err = c.whoDidThen(ctx, *at, "river_ui", pauseTarget); err != nil {
			return nil, nil, err
		}
	}
	if breaker := gate.Destination.Breaker; breaker != nil && breaker.Cause == outbox.CauseOperator {
		opened, err = c.whoDidThen(ctx, breaker.Since, "breaker_open", breaker.Reason)
	}
	return paused, opened, err
}

// pauseTarget is River UI's request that pauses the queue, as the operator log has it.
const pauseTarget = "PUT /riverui/api/queues/" + claimsync.Topic + "/pause"

// sameAction is how far apart an action and what came of it may be in time: River's times are those of a process.
const sameAction = time.Minute

// whoDidThen returns nil for what was done in another way.
func (c *console) whoDidThen(ctx context.Context, at time.Time, action, target string) (*claimsync.OperatorAction, error) {
	last, err := c.sync.LastOperatorAction(ctx, action, target)
	if last == nil || err != nil || last.At.Sub(at).Abs() > sameAction {
		return nil, err
	}
	return last, nil
}

func (c *console) resumeQueue(r *http.Request) (*outcome, error) {
	err := c.sync.Operate(r.Context(), operator.Of(r), "queue_resume", claimsync.Topic, func(ctx context.Context) (string, error) {
		return "", c.config.River.QueueResume(ctx, claimsync.Topic, nil)
	})
	return &outcome{to: "/", notice: notice{code: "resumed"}}, err
}
