package outbox

import (
	"math/rand/v2"
	"time"
)

// Decision is what follows a failed delivery, for its key and for everybody. What [Outbox.Blame] makes of it comes on
// top.
type Decision struct {
	Park  bool          // give up on this version
	Delay time.Duration // else: when this key is tried again
	Block time.Duration // how long nobody calls the destination
	Limit bool          // the block is for our calling too often
}

// suspicion is what a failure says of the destination itself.
type suspicion int

const (
	unsuspicious  suspicion = iota // it concerns the key alone, or nobody
	failing                        // it fails: with other keys failing alike, an outage
	unknownKey                     // it does not know the key: with many others, we ask the wrong one
	misconfigured                  // it would refuse every key
)

// policy is what a kind of failure leads to.
type policy struct {
	// The key is tried again after first, then after factor times as long each, up to most. It is parked after giveUp
	// failures in a row; 0: never, and 1: at once.
	first, most time.Duration
	factor      int
	giveUp      int
	// again: the first time at once.
	again bool
	// blameless failures say nothing about the key, so they do not count.
	blameless bool
	suspicion suspicion
}

const (
	retryFirst, retryMost     = 500 * time.Millisecond, 5 * time.Second
	missingFirst, missingMost = 10 * time.Second, 24 * time.Hour
	// missingGiveUp is after about three days.
	missingGiveUp = 12
	// waitUntold is how long everybody waits who was told to, but not for how long.
	waitUntold = 2 * time.Second
)

// policies is the one place that decides what follows a failure. Each answer of a destination is one of these actions,
// which package clerk tells for Clerk's; docs/decisions.md has the two together, and is tested.
var policies = map[Action]policy{
	// The key is busy.
	Retry: {first: retryFirst, most: retryMost, factor: 2},
	// The destination fails or cannot be reached. One key may just have had bad luck; the retries stay close together, so
	// that a single one finds out about the recovery as soon as a probe would.
	Outage: {first: retryFirst, most: retryMost, factor: 2, suspicion: failing},
	// It may have been applied, now or later: the current state goes over it at once. Silence also speaks of an outage.
	Ambiguous: {first: retryFirst, most: retryMost, factor: 2, again: true, suspicion: failing},
	// Everybody waits, as told.
	Wait: {blameless: true},
	// Every key would be refused: the breaker opens, and probes until somebody has mended it.
	Stop: {blameless: true, suspicion: misconfigured},
	// The key may appear, or have gone.
	Missing: {first: missingFirst, most: missingMost, factor: 3, giveUp: missingGiveUp, suspicion: unknownKey},
	// Refused for good.
	Park: {giveUp: 1},
	// The process stops: another one goes on.
	Canceled: {blameless: true},
}

// policyFor treats what a later version may add as what passes.
func policyFor(action Action) policy {
	if p, ok := policies[action]; ok {
		return p
	}
	return policies[Retry]
}

// Decide says what to do about a failure of a key that failed before that often in a row.
func Decide(failure *Failure, failures int) Decision {
	p := policyFor(failure.Action)
	if p.giveUp > 0 && failures+1 >= p.giveUp {
		return Decision{Park: true}
	}
	decision := Decision{
		Delay: p.delay(failures),
		Block: failure.RetryAfter,
		Limit: failure.Action == Wait,
	}
	if decision.Limit && decision.Block <= 0 {
		decision.Block = waitUntold
	}
	return decision
}

// delay is first·factor^failures up to most, less a random quarter so that keys that failed together part.
func (p policy) delay(failures int) time.Duration {
	if p.again {
		failures--
	}
	if p.first == 0 || failures < 0 {
		return 0
	}
	delay := p.first
	for range failures {
		if delay >= p.most {
			break
		}
		delay *= time.Duration(p.factor)
	}
	delay = min(delay, p.most)
	return delay - rand.N(delay/4)
}

// suspicionOf: an answer that makes no sense is not silence.
func suspicionOf(failure *Failure) suspicion {
	if failure.Action == Ambiguous && failure.Receipt.Status != 0 {
		return unsuspicious
	}
	return policyFor(failure.Action).suspicion
}
