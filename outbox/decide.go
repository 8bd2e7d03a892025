package outbox

import (
	"math/rand/v2"
	"time"
)

// Decision is what follows a failed delivery.
type Decision struct {
	Park  bool          // give up on this version
	Delay time.Duration // else: when this key is tried again
	Block time.Duration // how long nobody calls the destination
}

const (
	retryFirst, retryMost     = 500 * time.Millisecond, 5 * time.Second
	missingFirst, missingMost = 10 * time.Second, 24 * time.Hour
	// stopPause is between two probes of a destination that refuses everybody.
	stopPause = 30 * time.Second
	// missingGiveUp parks a key after about four days of not being known at the destination.
	missingGiveUp = 11
)

// Decide says what to do about a failure of a key that failed before that often in a row.
//
//	retry      again after 0.5 s, doubling up to 5 s
//	outage     the same: soon enough to be among the first after recovery
//	ambiguous  at once, then as retry: the current state, over whatever the lost request did or will do
//	wait       everyone waits as told
//	stop       everyone waits 30 s; the key is not to blame
//	missing    again after 10 s, trebling up to a day; parked after about four days
//	park       parked
//	canceled   at once, by another process
func Decide(failure *Failure, failures int) Decision {
	switch failure.Action {
	case Park:
		return Decision{Park: true}
	case Missing:
		if failures >= missingGiveUp {
			return Decision{Park: true}
		}
		return Decision{Delay: backoff(missingFirst, missingMost, 3, failures)}
	case Wait:
		return Decision{Block: failure.RetryAfter}
	case Stop:
		return Decision{Block: max(failure.RetryAfter, stopPause)}
	case Canceled:
		return Decision{}
	case Ambiguous:
		if failures == 0 {
			return Decision{}
		}
		return Decision{Delay: backoff(retryFirst, retryMost, 2, failures-1)}
	default: // Retry, Outage
		return Decision{Delay: backoff(retryFirst, retryMost, 2, failures)}
	}
}

// backoff is first·factor^failures up to most, less a random quarter so that keys that failed together part.
func backoff(first, most time.Duration, factor int, failures int) time.Duration {
	delay := first
	for range failures {
		if delay >= most {
			break
		}
		delay *= time.Duration(factor)
	}
	delay = min(delay, most)
	return delay - rand.N(delay/4)
}
