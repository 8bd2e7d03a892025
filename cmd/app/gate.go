package main

import (
	"time"

	"github.com/claimsync/claimsync"
	"github.com/claimsync/claimsync/outbox"
	"github.com/claimsync/claimsync/scoring"
)

// gateJSON is what stands between all organizations and Clerk, for programs.
type gateJSON struct {
	BlockedUntil  *scoring.Timestamp `json:"blocked_until"`
	BlockedReason *string            `json:"blocked_reason"`
	BudgetUsed    float64            `json:"budget_used"` // 0 to 1: less after others have used what we counted on
	Breaker       *breakerJSON       `json:"breaker"`     // null: closed
	QueuePaused   *pauseJSON         `json:"queue_paused"`
}

type breakerJSON struct {
	Cause     outbox.Cause       `json:"cause"`
	Reason    string             `json:"reason"`
	Since     scoring.Timestamp  `json:"since"`
	NextProbe *scoring.Timestamp `json:"next_probe"` // null: not before somebody closes it
	Probes    int                `json:"probes"`
}

// pauseJSON is a pause of River's queue.
type pauseJSON struct {
	Since scoring.Timestamp `json:"since"`
	By    string            `json:"by"` // breaker or person
}

func gateJSONOf(g claimsync.Gate) gateJSON {
	j := gateJSON{BudgetUsed: g.Destination.Rate}
	if b := g.Destination.Blocked; b != nil {
		j.BlockedUntil, j.BlockedReason = timestamp(&b.Until), &b.Reason
	}
	if b := g.Destination.Breaker; b != nil {
		j.Breaker = &breakerJSON{
			Cause: b.Cause, Reason: b.Reason, Since: scoring.Timestamp(b.Since), NextProbe: timestamp(b.NextProbe),
			Probes: b.Probes,
		}
	}
	if since := g.Queue.PausedAt; since != nil {
		j.QueuePaused = &pauseJSON{Since: scoring.Timestamp(*since), By: "person"}
		if g.Queue.PausedByBreaker {
			j.QueuePaused.By = "breaker"
		}
	}
	return j
}

func timestamp(t *time.Time) *scoring.Timestamp { return (*scoring.Timestamp)(t) }
