package outbox

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/claimsync/claimsync/db/dbsqlc"
)

// Canceled is the action for a delivery that was given up because the process shuts down. Not a Destination's to return.
const Canceled Action = "canceled"

// maxErrorLength bounds an error's text in the database, in bytes.
const maxErrorLength = 1000

// outcome is the action in the delivery log. One that is not known there is treated as Retry, as in Decide.
func (f *Failure) outcome() dbsqlc.DeliveryOutcome {
	switch f.Action {
	case Retry, Outage, Wait, Stop, Missing, Park, Ambiguous, Canceled:
		return dbsqlc.DeliveryOutcome(f.Action)
	default:
		return dbsqlc.DeliveryOutcomeRetry
	}
}

// reason groups parked rows: the action and the status, without what differs from key to key.
func (f *Failure) reason() string {
	if f.Receipt.Status == 0 {
		return string(f.Action)
	}
	return fmt.Sprintf("%s %d", f.Action, f.Receipt.Status)
}

func (f *Failure) message() *string { return new(truncate(f.Error())) }

// truncate makes s fit for a text column: bounded, valid UTF-8, without NUL.
func truncate(s string) string {
	s = strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
	if len(s) <= maxErrorLength {
		return s
	}
	cut := maxErrorLength
	for !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "…"
}

func (r Receipt) status() *int16 {
	if r.Status < 100 || r.Status > 599 {
		return nil
	}
	return new(int16(r.Status))
}

func (r Receipt) traceID() *string {
	if r.TraceID == "" {
		return nil
	}
	return new(truncate(r.TraceID))
}

func (r Receipt) applied() *string {
	if r.Applied == nil {
		return nil
	}
	return new(string(r.Applied))
}
