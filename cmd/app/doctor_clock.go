package main

import (
	"context"
	"fmt"
	"time"
)

// How far apart clocks may be. Ours matters little, as the database's rules leases and budgets; but what is refused for being
// signed too long ago, or not valid yet, is judged by it: webhooks to five minutes, session tokens to seconds.
const (
	skewWarned = 5 * time.Second
	skewFailed = time.Minute
)

func (x *examination) clock(context.Context) finding { return skewFinding(x.skew, "PostgreSQL's") }

func (x *examination) clerkClock(context.Context) finding {
	return skewFinding(*x.clerkSkew, "Clerk's")
}

// skewFinding is about the clock of this machine; above 0, it is ahead of the other.
func skewFinding(skew time.Duration, whose string) finding {
	const remedy = "Have the clocks kept right by NTP: timedatectl shows whether this one is."
	apart := fmt.Sprintf("this machine's is %s behind %s", (-skew).Round(time.Second), whose)
	if skew > 0 {
		apart = fmt.Sprintf("this machine's is %s ahead of %s", skew.Round(time.Second), whose)
	}
	switch {
	case skew.Abs() > skewFailed:
		return fail(apart, remedy)
	case skew.Abs() > skewWarned:
		return warn(apart, remedy)
	default:
		return ok("this machine's agrees with %s", whose)
	}
}

// halfway is about when a question was answered that was asked and came back then.
func halfway(asked, back time.Time) time.Time { return asked.Add(back.Sub(asked) / 2) }
