package outbox

import (
	"context"
	"encoding/json"
	"log/slog"
	"time"
)

// Destination is where the state of a topic's keys goes.
type Destination interface {
	// Deliver reads the current state of key, which is never older than version, and makes the destination equal to
	// it. It must be idempotent and must respect ctx's deadline. A failure that the destination is responsible for is
	// a *Failure; any other error means that the attempt itself broke, and River retries it.
	Deliver(ctx context.Context, key string, version int64) (Receipt, error)

	// Verify tells whether the destination has the current state of key, as a delivery of version leaves it, without
	// changing anything there. No delivery of the key is under way, but one that was given up on may have landed since.
	// Errors are as those of Deliver.
	Verify(ctx context.Context, key string, version int64) (inStep bool, receipt Receipt, err error)
}

// Receipt is what the destination answered.
type Receipt struct {
	Status  int    // HTTP status or the like, 100 to 599; 0: none
	TraceID string // the destination's name for the call, for its support; "": none

	// Applied is what a delivery made the destination say, for people to compare with what is wanted: a JSON document, small,
	// without secrets. Nil: not told.
	Applied json.RawMessage

	// LogAttrs are said of the call in its log line and in its span, beside what is known of every delivery: ids, no secrets.
	LogAttrs []slog.Attr
}

// Action is what a failure calls for.
type Action string

// The actions; each is also the outcome in the delivery log.
const (
	Retry     Action = "retry"     // the key is busy: again soon
	Outage    Action = "outage"    // the destination fails or cannot be reached: again when it may have recovered
	Wait      Action = "wait"      // told to wait, everybody: not before RetryAfter
	Stop      Action = "stop"      // a configuration fault that no key is to blame for: everybody waits
	Missing   Action = "missing"   // the destination does not know the key: it may appear
	Park      Action = "park"      // refused for good: not again unless it changes
	Ambiguous Action = "ambiguous" // it may have been applied, now or later: push again
)

// Failure is a delivery that the destination did not confirm.
type Failure struct {
	Action     Action
	RetryAfter time.Duration // how long everybody waits; 0, unless the destination said so
	InDoubt    bool          // the push may be applied nevertheless, even later: understood of every Ambiguous
	Receipt    Receipt
	Err        error
}

func (f *Failure) Error() string {
	if f.Err == nil {
		return string(f.Action)
	}
	return f.Err.Error()
}

// Unwrap returns the cause.
func (f *Failure) Unwrap() error { return f.Err }

// MayLand is whether the push may be applied nevertheless, even later.
func (f *Failure) MayLand() bool { return f.InDoubt || f.Action == Ambiguous }
