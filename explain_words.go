package claimsync

import (
	"fmt"
	"time"

	"github.com/riverqueue/river/rivertype"

	"github.com/claimsync/claimsync/outbox"
)

// workerPatience is how long an available job may be in the queue until that is worth a remark.
const workerPatience = 30 * time.Second

// InWords says where the organization stands, why, and what comes next, a paragraph each.
func (e *Explanation) InWords() []string {
	paragraphs := []string{e.standingInWords()}
	if waiting := e.waitingInWords(); waiting != "" {
		paragraphs = append(paragraphs, waiting)
	}
	if e.Change.waits() && e.WaitingFor != WaitingForCalculation {
		paragraphs = append(paragraphs, e.changeInWords())
	}
	if failure := e.failureInWords(); failure != "" {
		paragraphs = append(paragraphs, failure)
	}
	if stale := e.staleInWords(); stale != "" {
		paragraphs = append(paragraphs, stale)
	}
	if e.Row.DoubtedAt != nil && e.WaitingFor != WaitingForVerification {
		paragraphs = append(paragraphs, e.doubtInWords())
	}
	if e.Contested {
		paragraphs = append(paragraphs, "It is contested: "+contest)
	}
	if e.Gate.Queue.pausedByHand() != nil && e.WaitingFor != WaitingForQueue {
		paragraphs = append(paragraphs, e.Gate.pauseInWords())
	}
	return paragraphs
}

// standingInWords is the one sentence for those who read no further.
func (e *Explanation) standingInWords() string {
	row := &e.Row
	switch {
	case e.State == StateUnlinked:
		return e.name() + " is unlinked: it has no Clerk id, so there is nothing to push to."
	case e.State == outbox.StateParked:
		return e.name() + " is parked: Clerk does not have its latest change, and none is on its way."
	case e.State == outbox.StateClean && e.WaitingFor == WaitingForCalculation:
		return e.name() + " is clean, but for a change that Clerk may not have yet."
	case e.State == outbox.StateClean && row.SyncedAt != nil:
		return fmt.Sprintf("%s is clean: Clerk has had its latest state since %s.", e.name(), e.at(*row.SyncedAt))
	case e.State == outbox.StateClean:
		return e.name() + " is clean: Clerk has its latest state."
	case row.DirtySince != nil:
		return fmt.Sprintf("%s is dirty: a change of %s is on its way.", e.name(), e.at(*row.DirtySince))
	default:
		return e.name() + " is dirty: Clerk was never told of it."
	}
}

// waitingInWords says what is waited for.
func (e *Explanation) waitingInWords() string {
	switch e.WaitingFor {
	case WaitingForLink:
		return "It is pushed as soon as it gets a Clerk id."
	case WaitingForMark:
		return "Nothing will push it: what linked it was not claimsync. To have it pushed: " +
			"POST /v1/organizations/" + e.id() + "/sync"
	case WaitingForCalculation:
		return e.changeInWords()
	case WaitingForRedrive:
		return fmt.Sprintf("It was given up on at %s, for the reason %q. It is not pushed again until it changes, or "+
			"somebody says so: app redrive %s", e.at(*e.Row.ParkedAt), *e.Row.ParkedReason, e.id())
	case WaitingForAnswer:
		return e.leaseInWords()
	case WaitingForVerification:
		return e.doubtInWords()
	case WaitingForRetry:
		return fmt.Sprintf("It is tried again at %s.", e.at(*e.Until))
	case WaitingForBudget:
		return fmt.Sprintf("It waits for its own budget, since Clerk admits only so many writes to one organization: the "+
			"next push is at %s.", e.at(*e.Until))
	default:
		return e.queueInWords()
	}
}

// queueInWords is for what waits with all others, or for its turn among them.
func (e *Explanation) queueInWords() string {
	now := e.Gate.Now
	switch e.WaitingFor {
	case WaitingForRetryAfter:
		return "It waits like all others. " + blockInWords(e.Gate.Destination.Blocked, now)
	case WaitingForBreaker:
		return "It waits like all others for the breaker. " + e.Gate.breakerInWords()
	case WaitingForQueue:
		return "It waits like all others. " + e.Gate.pauseInWords()
	case WaitingForWorker:
		return e.jobInWords()
	case WaitingForSweep:
		text := "It has no live job. The sweep, which each app serve attempts every second, gives it one."
		if e.Row.LeaseEnds != nil {
			return "The process that was at it has died, or stands still. " + text
		}
		return text
	default:
		return ""
	}
}

func (e *Explanation) jobInWords() string {
	scheduled := e.Job.ScheduledAt
	text := fmt.Sprintf("It is in the queue: job %d, %s", e.Job.ID, e.Job.State)
	switch {
	case e.Job.State == rivertype.JobStateRunning:
		return text + ", waits for its turn to call Clerk."
	case scheduled.After(e.Gate.Now):
		return fmt.Sprintf("%s until %s.", text, e.at(scheduled))
	case e.Gate.Now.Sub(scheduled) > workerPatience:
		return fmt.Sprintf("%s since %s. Either there is much before it, or no app serve runs.", text, e.at(scheduled))
	default:
		return fmt.Sprintf("%s since %s.", text, e.at(scheduled))
	}
}

// leaseInWords: once the breaker is open, none but probes begin.
func (e *Explanation) leaseInWords() string {
	row, breaker := &e.Row, e.Gate.Destination.Breaker
	doing := "being pushed"
	if row.DirtySince == nil {
		doing = "being read back"
	}
	by := "by a probe"
	if row.JobID != nil && (breaker == nil || row.LeasedAt.Before(breaker.Since)) {
		by = fmt.Sprintf("by job %d", *row.JobID)
	}
	return fmt.Sprintf("It is %s right now, %s, begun at %s. If nothing is heard of that, another takes over at %s.",
		doing, by, e.at(*row.LeasedAt), e.at(*row.LeaseEnds))
}

func (e *Explanation) doubtInWords() string {
	return fmt.Sprintf("It is in doubt: a push that was given up on may still land, or Clerk was seen to differ. Clerk is read "+
		"back at %s, and pushed over if it is wrong.", e.at(*e.Row.VerifyAt))
}

// staleInWords is for a score that time has changed: being in step with it is being in step with what was.
func (e *Explanation) staleInWords() string {
	if e.Organization == nil || e.Organization.Score == nil {
		return ""
	}
	due := e.Organization.Score.RecalculateAt
	if due.IsZero() || due.After(e.Gate.Now) {
		return ""
	}
	return fmt.Sprintf("Its score is stale: time changed it at %s, and it is not recalculated yet. Every app serve does that "+
		"within seconds, what cannot be calculated is in its log. By hand: app recalculate %s", e.at(due), e.id())
}

func (e *Explanation) failureInWords() string {
	switch row, blocked := &e.Row, e.Gate.Destination.Blocked; {
	case row.LastError == nil, blocked != nil && blocked.Reason == *row.LastError: // said already
		return ""
	case row.Failures > 1:
		return fmt.Sprintf("It failed %d times in a row, the last time with: %s", row.Failures, *row.LastError)
	default:
		return "The last try ended with: " + *row.LastError
	}
}

// name is what the organization is called here.
func (e *Explanation) name() string {
	if e.Organization == nil {
		return "Clerk's " + e.ClerkOrgID + ", to which no organization is linked any more and whose claims are to go,"
	}
	return e.Organization.Name
}

// id is what the commands take.
func (e *Explanation) id() string {
	if e.Organization == nil {
		return e.ClerkOrgID
	}
	return e.Organization.ID
}

func (e *Explanation) at(t time.Time) string { return moment(e.Gate.Now, t) }
