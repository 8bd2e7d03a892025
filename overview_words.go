package claimsync

import (
	"fmt"
	"slices"

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

// Verdict says in one sentence what is worst; the gate's own words say more.
func (o *Overview) Verdict() (Health, string) {
	standing := o.Gate.Destination
	switch {
	case standing.Breaker != nil && standing.Breaker.Cause == outbox.CauseConfiguration:
		return HealthBad, "Clerk refuses us whatever we send: nothing is pushed until that is mended."
	case standing.Breaker != nil && standing.Breaker.Cause == outbox.CauseOperator:
		return HealthBad, "A person opened the breaker: nothing is pushed until somebody closes it."
	case standing.Breaker != nil:
		return HealthPoor, "Clerk fails or does not answer: pushes wait until it recovers, and nothing is lost."
	case o.Gate.Queue.pausedByHand() != nil:
		return HealthBad, "A person paused River's queue: nothing is pushed until it is resumed."
	case !slices.ContainsFunc(o.Fleet, func(p Process) bool { return p.Alive }):
		return HealthBad, "No process is alive: nothing is pushed until an app serve runs."
	case o.OldestDirtyAge > Objective:
		return HealthBad, fmt.Sprintf("The oldest change has waited for %s, where %s is the objective.",
			Span(o.OldestDirtyAge), Span(Objective))
	case o.Counts.Parked.N > 0:
		return HealthPoor, givenUpOn(o.Counts.Parked)
	case standing.Blocked != nil:
		return HealthPoor, "Clerk told everybody to wait a little: pushes go on then."
	case o.Drift.Report != nil && o.Drift.Report.Contested > 0:
		return HealthPoor, "Somebody else writes our keys at Clerk: see the last drift check."
	case o.Drift.Failure != nil:
		return HealthPoor, "All changes get through, but the last drift check failed."
	case o.Counts.Dirty.N > 0:
		return HealthGood, fmt.Sprintf("All is well; %s.", onTheWay(o.Counts.Dirty))
	default:
		return HealthGood, "All is well: Clerk has the latest state of every linked organization."
	}
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

// String is for people: an estimate begins with "about", what was not counted to the end ends in "+".
func (c Count) String() string {
	text := grouped(c.N)
	if c.About {
		text = "about " + text
	}
	if c.OrMore {
		text += "+"
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
