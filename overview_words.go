package claimsync

import (
	"fmt"
	"slices"

	"github.com/claimsync/claimsync/internal/timewords"
	"github.com/claimsync/claimsync/outbox"
)

// Health is whether there is anything to worry about.
type Health string

// The healths.
const (
	HealthGood Health = "good" // all is well, though something may be on its way
	HealthPoor Health = "poor" // it recovers by itself, or can wait until the morning
	HealthBad  Health = "bad"  // somebody has to act
)

// Verdict says in a sentence what is worst; the gate's own words say more.
func (o *Overview) Verdict() (Health, string) {
	breaker := o.Gate.Destination.Breaker
	switch {
	case !slices.ContainsFunc(o.Fleet, func(p Process) bool { return p.Alive }):
		return HealthBad, "No process is alive: nothing is pushed until an app serve runs."
	case breaker != nil && breaker.Cause == outbox.CauseConfiguration:
		return HealthBad, "Clerk refuses us whatever we send: nothing is pushed until that is mended."
	case breaker != nil && breaker.Cause == outbox.CauseOperator:
		return HealthBad, whoInWords("A person", o.Gate.OpenedBy) + " opened the breaker: nothing is pushed until somebody closes it."
	case o.Gate.Queue.pausedByHand() != nil:
		return HealthBad, whoInWords("A person", o.Gate.PausedBy) + " paused River's queue: nothing is pushed until it is resumed."
	case breaker != nil:
		return HealthPoor, "Clerk fails or does not answer: pushes wait until it recovers, and nothing is lost." + o.late()
	case o.OldestDirtyAge > Objective && !o.Backfilling:
		return HealthBad, fmt.Sprintf("The oldest change has waited for %s, where %s is the objective.",
			timewords.Span(o.OldestDirtyAge), timewords.Span(Objective))
	default:
		return o.lesser()
	}
}

// lesser is the verdict where everything that changes gets through.
func (o *Overview) lesser() (Health, string) {
	report := o.Drift.Report
	switch {
	case o.Counts.Parked.N > 0:
		return HealthPoor, givenUpOn(o.Counts.Parked)
	case o.Gate.Destination.Blocked != nil:
		return HealthPoor, "Clerk told everybody to wait a little: pushes go on then."
	case report != nil && report.Contested > 0:
		return HealthPoor, "Somebody else writes our keys at Clerk: see the last drift check."
	case report != nil && report.left() > 0:
		return HealthPoor, fmt.Sprintf("All changes get through, but the last drift check left %s that differed at Clerk.",
			organizationsLeft(report.left()))
	case o.Drift.Failure != nil:
		return HealthPoor, "All changes get through, but the last drift check failed."
	case o.Backfilling && o.OldestDirtyAge > Objective:
		return HealthGood, fmt.Sprintf("All is well; %s, of a backfill: changes go before it.", onTheWay(o.Counts.Dirty))
	case o.Counts.Dirty.N > 0:
		return HealthGood, fmt.Sprintf("All is well; %s.", onTheWay(o.Counts.Dirty))
	default:
		return HealthGood, "All is well: Clerk has confirmed the latest state of every linked organization."
	}
}

// late says how old the oldest change is, if it is too old.
func (o *Overview) late() string {
	if o.OldestDirtyAge <= Objective {
		return ""
	}
	return fmt.Sprintf(" The oldest change has waited for %s.", timewords.Span(o.OldestDirtyAge))
}

// left is how many of our organizations differed, and were not handed over to be pushed again.
func (r *DriftReport) left() int {
	return max(0, r.Drifted-r.Kinds[DriftUnknown]-r.Repaired-r.Contested)
}

func organizationsLeft(n int) string {
	if n == 1 {
		return "1 organization"
	}
	return grouped(int64(n)) + " organizations"
}

func givenUpOn(c Count) string {
	if c.N == 1 {
		return "1 organization was given up on, until somebody redrives it."
	}
	return c.String() + " organizations were given up on, until somebody redrives them."
}

func onTheWay(c Count) string {
	if c.N == 1 {
		return "1 change is on its way"
	}
	return c.String() + " changes are on their way"
}

// String is for people: an estimate begins with "about", one that may be less with "at most", what was not counted to the end
// ends in "+".
func (c Count) String() string {
	text := grouped(c.N)
	if c.About {
		text = "about " + text
	}
	if c.OrMore {
		text += "+"
	}
	if c.AtMost {
		text = "at most " + text
	}
	return text
}

// grouped has a comma for every three digits.
func grouped(n int64) string {
	digits := fmt.Sprint(n)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}
