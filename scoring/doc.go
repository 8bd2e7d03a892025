// Package scoring calculates the compliance score of a roofing company from the facts recorded about it.
//
// The engine is pure. [Calculate] takes the moment, the certification tier and the [Facts], and returns a [Result]:
// an overall score of 0 to 100, what it is made of, the issues found, and whether the company may move up a tier.
// Nothing in it reads a clock, so the same input gives the same result on every machine and in every year.
//
// A score also changes with no fact changing: a policy runs into its last sixty days, a licence expires, an audit
// grows old. [Result.NextChange] is the instant at which that first happens, so that a caller can calculate again
// then, rather than often.
//
// # Time
//
// Every time is an absolute instant, at the resolution of a microsecond, and a day is 24 hours: 60 days before an expiry
// are 1,440 hours before it, whatever the time zone, a change to summer time or a leap day does to the calendar. A time
// of day that means something to people, such as the midnight in Auckland at which a policy ends, is for whoever writes the
// fact: "2026-09-30T23:59:59+13:00". An audit counts as a year old after 366 whole days, in a leap year too. A policy has
// no day on which it begins: it counts from when it is written, so one that starts later is to be written later, unless it
// renews one that is in force.
//
// A [Store] keeps the instant of the next change with the score, and a [Recalculator] calculates again what is due.
//
// [Decode] and [DecodeSnapshot] read the facts from JSON strictly: whatever is not understood is a [Problem] that
// names the field, never a zero that silently lowers a score.
package scoring
