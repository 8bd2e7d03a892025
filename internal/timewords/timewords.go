// Package timewords says times and durations for people.
package timewords

import (
	"fmt"
	"time"
)

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
