package claimsync

import (
	"fmt"
	"time"
)

// moment is a time for people, absolute and seen from now: 2026-07-01 10:22:31 UTC (in 4 s). Its zone is that of now.
func moment(now, t time.Time) string {
	return fmt.Sprintf("%s (%s)", t.In(now.Location()).Format(time.DateTime+" MST"), FromNow(now, t))
}

// FromNow is a time for people, as seen from now: in 4 s, 2 h ago, now.
func FromNow(now, t time.Time) string {
	switch d := t.Sub(now).Round(time.Second); {
	case d > 0:
		return "in " + Span(d)
	case d < 0:
		return Span(-d) + " ago"
	default:
		return "now"
	}
}

// Span is a duration for people, in the one unit that says enough.
func Span(d time.Duration) string {
	switch {
	case d < 2*time.Minute:
		return fmt.Sprintf("%d s", d/time.Second)
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min", d/time.Minute)
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", d/time.Hour)
	default:
		return fmt.Sprintf("%d days", d/(24*time.Hour))
	}
}
