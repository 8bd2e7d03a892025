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
	BudgetShare   float64            `json:"budget_share"` // 0 to 1: less after others have used what we counted on
	Breaker       *breakerJSON       `json:"breaker"`      // null: closed
	QueuePaused   *pauseJSON         `json:"queue_paused"`
}

type breakerJSON struct {
	Cause     outbox.Cause       `json:"cause"`
	OpenedBy  *string            `json:"opened_by"` // null: no person did, or the operator log does not tell who
	Reason    string             `json:"reason"`
	Since     scoring.Timestamp  `json:"since"`
	NextProbe *scoring.Timestamp `json:"next_probe"` // null: not before somebody closes it
	Probes    int                `json:"probes"`
}

// pauseJSON is a pause of River's queue.
type pauseJSON struct {
	Since scoring.Timestamp `json:"since"`
	By    string            `json:"by"`     // breaker or person
	Who   *string           `json:"person"` // null: none, or the operator log does not tell who
}

func gateJSONOf(g claimsync.Gate) gateJSON {
	j := gateJSON{BudgetShare: g.Destination.Rate}
	if b := g.Destination.Blocked; b != nil {
		j.BlockedUntil, j.BlockedReason = timestamp(&b.Until), &b.Reason
	}
	if b := g.Destination.Breaker; b != nil {
		j.Breaker = &breakerJSON{
			Cause: b.Cause, Reason: b.Reason, Since: scoring.Timestamp(b.Since), NextProbe: timestamp(b.NextProbe),
			Probes: b.Probes, OpenedBy: who(g.OpenedBy),
		}
	}
	if since := g.Queue.PausedAt; since != nil {
		j.QueuePaused = &pauseJSON{Since: scoring.Timestamp(*since), By: "person", Who: who(g.PausedBy)}
		if g.Queue.PausedByBreaker {
			j.QueuePaused.By = "breaker"
		}
	}
	return j
}

func who(did *claimsync.OperatorAction) *string {
	if did == nil {
		return nil
	}
	return new(did.Operator.String())
}

func timestamp(t *time.Time) *scoring.Timestamp { return (*scoring.Timestamp)(t) }
