package main

import (
	"strconv"
	"strings"
	"time"
)

// bound is a figure that was seen, beside what was promised of it, if anything was.
type bound struct {
	what    string
	seen    float64
	least   *float64 // of several rounds, where nothing is promised; seen is the most then
	beyond  bool     // it was more than seen: nobody waited any longer
	promise promise
	limit   float64
	unit    unit
	text    string // what was seen where it is no figure
}

// promise is how a figure has to relate to its limit.
type promise string

const (
	none    promise = "" // shown for comparison, or to judge the others by
	atMost  promise = "at most"
	atLeast promise = "at least"
	exactly promise = "exactly"
)

// unit says how a figure is written.
type unit string

const (
	count     unit = ""
	seconds   unit = "s"
	percent   unit = "%"
	megabytes unit = "MB"
	yesNo     unit = "yes/no"
)

// upTo is a count that must not exceed the limit.
func upTo(limit int, what string, seen int) bound {
	return bound{what: what, seen: float64(seen), promise: atMost, limit: float64(limit)}
}

// zero is a count of what must not be.
func zero(what string, seen int) bound { return upTo(0, what, seen) }

// within is a time that must not exceed the limit.
func within(limit time.Duration, what string, seen elapsed) bound {
	b := took(what, seen)
	b.promise, b.limit = atMost, limit.Seconds()
	return b
}

// holds is a statement that must be true.
func holds(what string, seen bool) bound {
	b := bound{what: what, promise: exactly, limit: 1, unit: yesNo}
	if seen {
		b.seen = 1
	}
	return b
}

// took is a time of which nothing was promised.
func took(what string, seen elapsed) bound {
	return bound{what: what, seen: seen.Seconds(), beyond: seen.beyond, unit: seconds}
}

// counted is a count of which nothing was promised.
func counted(what string, seen int) bound { return bound{what: what, seen: float64(seen)} }

// told is what was seen in words.
func told(what, seen string) bound { return bound{what: what, text: seen} }

// elapsed is how long something took, or how long it was waited for in vain.
type elapsed struct {
	time.Duration
	beyond bool
}

func lasting(d time.Duration) elapsed { return elapsed{Duration: d} }

// ok tells whether the promise was kept. It is where there is none.
func (b bound) ok() bool {
	switch b.promise {
	case atMost:
		return b.seen <= b.limit && !b.beyond
	case atLeast:
		return b.seen >= b.limit
	case exactly:
		return b.seen == b.limit
	default:
		return true
	}
}

// spanning is b with what was seen of it in another round, where nothing is promised and so none is the worst.
func (b bound) spanning(other bound) bound {
	least, most := b, b
	if other.worse(b) {
		most = other
	}
	if b.least != nil {
		least.seen = *b.least
	}
	most.least = new(min(least.seen, other.seen))
	return most
}

// worse tells whether b is further from what was promised than other, which is of the same thing. A broken promise is
// worse than any that was kept: what is seen says little where the limit differs from round to round.
func (b bound) worse(other bound) bool {
	if b.ok() != other.ok() {
		return !b.ok()
	}
	switch b.promise {
	case atLeast, exactly: // of the latter there is only yes/no
		return b.seen < other.seen
	default:
		return b.seen > other.seen || b.seen == other.seen && b.beyond && !other.beyond
	}
}

func (b bound) seenText() string {
	seen := b.unit.format(b.seen)
	switch {
	case b.text != "":
		return b.text
	case b.beyond:
		seen = "> " + seen
	}
	if b.least != nil && b.unit.format(*b.least) != b.unit.format(b.seen) {
		return b.unit.format(*b.least) + " to " + seen
	}
	return seen
}

func (b bound) limitText() string {
	switch b.promise {
	case none:
		return ""
	case exactly:
		return b.unit.format(b.limit)
	default:
		return string(b.promise) + " " + b.unit.format(b.limit)
	}
}

func (u unit) format(value float64) string {
	switch u {
	case seconds:
		if value < 1 {
			return trimmed(1000*value, 0) + " ms"
		}
		return trimmed(value, 2) + " s"
	case percent:
		return trimmed(value, 1) + " %"
	case megabytes:
		if value < 10 {
			return trimmed(value, 1) + " MB"
		}
		return trimmed(value, 0) + " MB"
	case yesNo:
		return map[bool]string{true: "yes", false: "no"}[value == 1]
	default:
		return trimmed(value, 2)
	}
}

// trimmed writes a number with at most that many decimals.
func trimmed(value float64, decimals int) string {
	text := strconv.FormatFloat(value, 'f', decimals, 64)
	if decimals == 0 {
		return text
	}
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
}
