package clerk

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// Action is what the caller of a failed call should do.
type Action string

const (
	// Retry: the organization is busy, or the caller gave up before anything was sent. Try again soon, with jitter.
	Retry Action = "retry"
	// Wait: the rate limit is exceeded. Nobody may call before Error.RetryAfter has passed.
	Wait Action = "wait"
	// Outage: Clerk fails or cannot be reached. No key is to blame and no attempt should be counted.
	Outage Action = "outage"
	// Stop: Clerk refuses us whatever we send: the key, the instance or the API version is wrong. Every call will fail
	// alike until somebody changes the configuration.
	Stop Action = "stop"
	// Missing: there is no such organization. For one organization that is its own matter; for many different ones in
	// a row it is the key of another instance.
	Missing Action = "missing"
	// Park: Clerk refuses this request for good. Trying again is no use.
	Park Action = "park"
	// Ambiguous: the write may have been applied, now or later. Push again now, and read back after the old request can
	// no longer land. Only writes end so.
	Ambiguous Action = "ambiguous"
)

// Error is how every failed call ends. Use errors.As to get it; errors.Is sees through to Err, so that
// context.Canceled and context.DeadlineExceeded can be told.
type Error struct {
	Action Action
	// Status is the HTTP status of the answer; 0 if there was none.
	Status int
	// Code and Message are Clerk's, of its first error. Both are bounded and on one line; empty if the answer was not
	// Clerk's JSON.
	Code, Message string
	// TraceID is Clerk's name for the call.
	TraceID string
	// RetryAfter is how long Clerk asked to be left alone: 1 s to 1 h for Wait, where a missing or unreadable header
	// counts as 10 s; for other actions 0 unless Clerk named a time.
	RetryAfter time.Duration
	// RetryAfterHeader is the header behind RetryAfter, bounded and on one line: seconds, a date, or nonsense. "" if there
	// was none, or if RetryAfter is 0.
	RetryAfterHeader string
	// MaybeApplied is whether Clerk may have applied the write nevertheless, now or later. True for every Ambiguous, and
	// for the outages behind which the write may still be at work (500, 502, 504).
	MaybeApplied bool
	// Err is the cause where it was not simply the status: of the network, the context, or an answer that made no sense.
	Err error
}

// Error returns one line with the action, status, code, message and trace ID.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "clerk: %s", e.Action)
	if e.Status != 0 {
		fmt.Fprintf(&b, ": status %d", e.Status)
	}
	for _, part := range []string{e.Code, e.Message} {
		if part != "" {
			b.WriteString(": " + part)
		}
	}
	if e.Err != nil {
		b.WriteString(": " + oneLine(e.Err.Error()))
	}
	if e.RetryAfter != 0 {
		fmt.Fprintf(&b, " (retry after %s%s)", e.RetryAfter, e.retryAfterNote())
	}
	if e.TraceID != "" {
		fmt.Fprintf(&b, " (trace %s)", e.TraceID)
	}
	return b.String()
}

// retryAfterNote is for whoever wonders why it is not what Clerk said.
func (e *Error) retryAfterNote() string {
	switch e.RetryAfterHeader {
	case strconv.Itoa(int(e.RetryAfter / time.Second)):
		return ""
	case "":
		return ", no time was named"
	default:
		return fmt.Sprintf(", what was named is %q", e.RetryAfterHeader)
	}
}

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }

// maxText bounds foreign text in an error, in runes.
const maxText = 300

// oneLine makes foreign text fit for a log line: bounded, and with no control characters.
func oneLine(text string) string {
	runes := []rune(strings.Join(strings.FieldsFunc(text, func(r rune) bool {
		return unicode.IsSpace(r) || !unicode.IsPrint(r)
	}), " "))
	if len(runes) > maxText {
		return string(runes[:maxText]) + "…"
	}
	return string(runes)
}
