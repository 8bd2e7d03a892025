package clerktest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Effect is what a fault does to a request.
type Effect string

// The effects. Requests that are refused anyhow, for their key, version or rate, are not hit by any.
const (
	// None does nothing beyond Fault.Latency.
	None Effect = ""
	// Answer answers with Fault.Status and applies nothing. The body is Clerk's usual one for the status: errors as
	// JSON, but 502 in HTML, 503 empty, and 301 with a Location. Fault.Body replaces it.
	Answer Effect = "answer"
	// EmptyOK, NullOK and ErrorsOK answer 200 with no body, with null, and with {"errors":…}, and apply nothing.
	EmptyOK  Effect = "empty_ok"
	NullOK   Effect = "null_ok"
	ErrorsOK Effect = "errors_ok"
	// Hang neither answers nor applies, until the client gives up.
	Hang Effect = "hang"
	// ResetBefore resets the connection and applies nothing.
	ResetBefore Effect = "reset_before"
	// ResetAfter applies, then resets the connection without an answer.
	ResetAfter Effect = "reset_after"
	// Truncate applies, then breaks off in the middle of the 200.
	Truncate Effect = "truncate"
	// Late does not answer, and applies Fault.Delay after the request arrived: usually when the client has given up,
	// and perhaps written something newer.
	Late Effect = "late"
)

var effects = []Effect{
	None, Answer, EmptyOK, NullOK, ErrorsOK, Hang, ResetBefore, ResetAfter, Truncate, Late,
}

// Fault makes requests fail. Its notation for people is that of [ParseScript].
type Fault struct {
	Effect Effect

	// At is when it begins, measured from SetFaults, and For how long it then lasts; a For of 0 means until cleared.
	// The first moment belongs to it, the last does not.
	At, For time.Duration

	// Organization and Method restrict it, for instance to "org_1" and "PATCH". Empty matches all.
	Organization string
	Method       string

	// Count is how many requests it hits; 0 means all, until cleared.
	Count int
	// Probability is that of hitting a request that matches. 0 means always.
	Probability float64

	// Latency is waited first, whatever the effect, and even if the client gives up meanwhile.
	Latency time.Duration

	// Status and Body are for Answer.
	Status int
	Body   string
	// RetryAfter is for Answer, in whole seconds; 0 leaves the header out.
	RetryAfter time.Duration
	// Header is for Answer: what is sent besides, or in place of what usually is. So Retry-After can be a date, "0",
	// or unreadable.
	Header map[string]string
	// Block is for Answer with status 429: what is announced also holds. All requests are refused with 429 until
	// RetryAfter has passed, whatever becomes of the fault; with Organization, only the writes to that organization.
	Block bool
	// Delay is for Late.
	Delay time.Duration
}

// Check tells what is wrong with a fault.
func (f Fault) Check() error {
	switch {
	case !slices.Contains(effects, f.Effect):
		return fmt.Errorf("there is no effect %q", f.Effect)
	case f.Effect == Answer && (f.Status < 200 || f.Status > 599):
		return fmt.Errorf("status %d is not between 200 and 599", f.Status)
	case f.Effect == None && f.Latency <= 0:
		return errors.New("a fault needs an effect or a latency")
	case f.Count < 0, f.At < 0, f.For < 0, f.Latency < 0, f.RetryAfter < 0, f.Delay < 0:
		return errors.New("count and durations must not be negative")
	case f.Probability < 0 || f.Probability > 1:
		return errors.New("probability must be between 0 and 1")
	case f.Block && (f.Effect != Answer || f.Status != 429 || f.RetryAfter < time.Second):
		return errors.New("only an answer 429 with a retry-after of a second or more can block")
	case f.Effect != Answer && len(f.Header) > 0:
		return errors.New("only an answer can have headers of its own")
	}
	return f.checkHeader()
}

func (f Fault) checkHeader() error {
	for name, value := range f.Header {
		if name == "" || strings.ContainsAny(name, " \t\r\n:") || strings.ContainsAny(value, "\r\n") {
			return fmt.Errorf("%q is not a header", name+": "+value)
		}
	}
	return nil
}
