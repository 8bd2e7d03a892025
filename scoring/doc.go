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
// [Decode] and [DecodeSnapshot] read the facts from JSON strictly: whatever is not understood is a [Problem] that
// names the field, never a zero that silently lowers a score.
package scoring
