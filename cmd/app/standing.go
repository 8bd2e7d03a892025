package main

import (
	"fmt"
	"io"
	"time"

	"github.com/claimsync/claimsync/outbox"
)

// standingJSON is how Clerk stands with the fleet, for programs.
type standingJSON struct {
	BlockedUntil  *time.Time   `json:"blocked_until"`
	BlockedReason *string      `json:"blocked_reason"`
	BudgetUsed    float64      `json:"budget_used"` // 0 to 1: less after others have used what we counted on
	Breaker       *breakerJSON `json:"breaker"`     // null: closed
}

type breakerJSON struct {
	Cause       outbox.Cause `json:"cause"`
	Reason      string       `json:"reason"`
	Since       time.Time    `json:"since"`
	NextProbe   *time.Time   `json:"next_probe"` // null: not before somebody closes it
	Probes      int          `json:"probes"`
	QueuePaused bool         `json:"queue_paused"`
}

func standingJSONOf(s outbox.Standing) standingJSON {
	j := standingJSON{BudgetUsed: s.Rate}
	if s.Blocked != nil {
		j.BlockedUntil, j.BlockedReason = &s.Blocked.Until, &s.Blocked.Reason
	}
	if s.Breaker != nil {
		j.Breaker = (*breakerJSON)(s.Breaker)
	}
	return j
}

// printStanding says what keeps Clerk from being called, if anything does.
func printStanding(w io.Writer, s outbox.Standing) error {
	if b := s.Blocked; b != nil {
		if _, err := fmt.Fprintf(w, "Clerk asked to be left alone until %s: %s\n", clock(b.Until), b.Reason); err != nil {
			return err
		}
	}
	if s.Rate < 1 {
		if _, err := fmt.Fprintf(w, "Others use Clerk's rate limit too: %.0f %% of our share is used.\n", 100*s.Rate); err != nil {
			return err
		}
	}
	if s.Breaker == nil {
		return nil
	}
	_, err := fmt.Fprintln(w, breakerInWords(s.Breaker))
	return err
}

func breakerInWords(b *outbox.Breaker) string {
	text := fmt.Sprintf("The breaker is open since %s (%s): %s\n", clock(b.Since), b.Cause, b.Reason)
	if b.NextProbe == nil {
		return text + "Nothing is pushed until: app breaker close"
	}
	return text + fmt.Sprintf("Nothing is pushed but probes: %d so far, the next at %s.", b.Probes, clock(*b.NextProbe))
}

// clock is for people.
func clock(t time.Time) string { return t.Local().Format(time.DateTime) }
