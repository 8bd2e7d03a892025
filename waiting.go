package claimsync

import (
	"time"

	"github.com/riverqueue/river/rivertype"
)

// WaitingFor is what has to happen before Clerk is in step with an organization.
type WaitingFor string

// What there is to wait for, in the order in which it is in the way.
const (
	WaitingForNothing      WaitingFor = "nothing"      // in step
	WaitingForLink         WaitingFor = "link"         // unlinked: for a Clerk id
	WaitingForMark         WaitingFor = "mark"         // linked by a foreign writer, so nothing knows of it
	WaitingForCalculation  WaitingFor = "calculation"  // changed by a foreign writer, or perhaps: for an app serve to calculate it
	WaitingForRedrive      WaitingFor = "redrive"      // parked: for a change, or a person
	WaitingForAnswer       WaitingFor = "answer"       // being pushed or read back: for Clerk's answer
	WaitingForVerification WaitingFor = "verification" // in doubt: to be read back
	WaitingForRetryAfter   WaitingFor = "retry_after"  // Clerk told everybody to wait
	WaitingForBreaker      WaitingFor = "breaker"      // open: for a probe that succeeds, or a person
	WaitingForQueue        WaitingFor = "queue"        // a person paused River's queue
	WaitingForRetry        WaitingFor = "retry"        // after a failure of its own
	WaitingForBudget       WaitingFor = "budget"       // its own is used up
	WaitingForWorker       WaitingFor = "worker"       // its job is in the queue
	WaitingForSweep        WaitingFor = "sweep"        // it has no live job: it gets one within seconds
)

// waiting: what a foreign writer has changed is to be marked yet, so that there is no mark says nothing.
func (e *Explanation) waiting(lease time.Duration) (WaitingFor, *time.Time) {
	waitingFor, until := e.waitingForPush(lease)
	if e.Change.waits() && (waitingFor == WaitingForNothing || waitingFor == WaitingForMark) {
		return WaitingForCalculation, nil
	}
	return waitingFor, until
}

// waitingForPush decides in the order of the checks of a claim, see OutboxClaim. lease is how long one holds.
func (e *Explanation) waitingForPush(lease time.Duration) (WaitingFor, *time.Time) {
	row, now := &e.Row, e.Gate.Now
	switch {
	case e.ClerkOrgID == "":
		return WaitingForLink, nil
	case row.DesiredVersion == 0:
		return WaitingForMark, nil
	case row.ParkedAt != nil:
		return WaitingForRedrive, nil
	case row.DirtySince == nil && row.VerifyAt == nil:
		return WaitingForNothing, nil
	case row.LeaseEnds != nil && row.LeaseEnds.After(now):
		return WaitingForAnswer, row.LeaseEnds
	case row.DirtySince == nil && row.VerifyAt.After(now):
		return WaitingForVerification, row.VerifyAt
	}
	return e.waitingToBegin(lease)
}

// waitingToBegin is for a row that is to be pushed, or read back, and is not yet.
func (e *Explanation) waitingToBegin(lease time.Duration) (WaitingFor, *time.Time) {
	row, now := &e.Row, e.Gate.Now
	future := func(t *time.Time) bool { return t != nil && t.After(now) }
	switch standing := e.Gate.Destination; {
	case standing.Blocked != nil:
		return WaitingForRetryAfter, &standing.Blocked.Until
	case standing.Breaker != nil:
		return WaitingForBreaker, standing.Breaker.NextProbe
	case e.Gate.Queue.pausedByHand() != nil:
		return WaitingForQueue, nil
	case future(row.NotBefore):
		return WaitingForRetry, row.NotBefore
	case row.DirtySince != nil && future(row.PacedUntil):
		return WaitingForBudget, row.PacedUntil
	case e.jobIsLive(lease):
		return WaitingForWorker, nil
	default:
		return WaitingForSweep, nil
	}
}

// jobIsLive: one that has been running for longer than a lease is a dead process's, as for OutboxSweep.
func (e *Explanation) jobIsLive(lease time.Duration) bool {
	if e.Job == nil {
		return false
	}
	switch e.Job.State {
	case rivertype.JobStateCancelled, rivertype.JobStateCompleted, rivertype.JobStateDiscarded:
		return false
	case rivertype.JobStateRunning:
		return e.Job.AttemptedAt != nil && e.Gate.Now.Sub(*e.Job.AttemptedAt) < lease
	default:
		return true
	}
}
