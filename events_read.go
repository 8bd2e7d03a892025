package claimsync

import (
	"context"
	"errors"
	"time"

	"github.com/claimsync/claimsync/clerk"
	"github.com/claimsync/claimsync/outbox"
)

// turnPatience is how long an event waits for its turn to call Clerk. With a call of clerk.DefaultTimeout after it, it
// is over before Clerk gives up on its own delivery, which is after 15 s.
const turnPatience = 3 * time.Second

var errNoTurn = errors.New("the budget or the breaker leaves no call to Clerk now")

// readOrganization reads an organization at Clerk, within the fleet's budget. One that is not there any more is
// returned without anything in it. Every failure of Clerk's is a *clerk.Error, and so is that it may not be called now.
func (s *Sync) readOrganization(ctx context.Context, id string, priority outbox.Priority) (clerk.Organization, error) {
	if s.clerk == nil {
		return clerk.Organization{}, nil
	}
	if err := s.turn(ctx, priority); err != nil {
		return clerk.Organization{}, err
	}
	organization, receipt, err := s.clerk.Organization(ctx, id)
	var failed *clerk.Error
	switch {
	case err == nil:
		return organization, nil
	case !errors.As(err, &failed):
		return clerk.Organization{}, err
	case failed.Action == clerk.Missing:
		s.logger.InfoContext(ctx, "Clerk organization is gone", "key", id, "trace_id", receipt.TraceID)
		return clerk.Organization{}, nil
	}
	return clerk.Organization{}, errors.Join(err, s.holdBack(ctx, failed))
}

// turn returns when it is our turn to call Clerk, or an error if it will not be soon. This process waits for one at a
// time, so that many events at once reserve no more than that ahead.
func (s *Sync) turn(ctx context.Context, priority outbox.Priority) error {
	notNow := &clerk.Error{Action: clerk.Retry, Err: errNoTurn}
	waiting, cancel := context.WithTimeout(ctx, turnPatience)
	defer cancel()
	select {
	case s.reading <- struct{}{}:
		defer func() { <-s.reading }()
	case <-waiting.Done():
		return notNow
	}
	for {
		reservation, err := s.outbox.Reserve(waiting, s.jobs.Pool, Topic, priority, false)
		switch {
		case err != nil:
			return err
		case !reservation.Granted && reservation.Wait == 0: // the breaker is open
			return notNow
		case !wait(waiting, reservation.Wait):
			return notNow
		case reservation.Granted:
			return s.stillOurTurn(ctx, notNow)
		}
	}
}

// stillOurTurn: everybody may have been told to wait, while we waited for our turn.
func (s *Sync) stillOurTurn(ctx context.Context, notNow error) error {
	standing, err := s.outbox.Standing(ctx, s.jobs.Pool, Topic)
	switch {
	case err != nil:
		return err
	case standing.Blocked != nil, standing.Breaker != nil:
		return notNow
	default:
		return nil
	}
}

// wait returns false, at once, if ctx would end before.
func wait(ctx context.Context, d time.Duration) bool {
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) <= d {
		return false
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// holdBack keeps everybody from calling for as long as Clerk said, if it did.
func (s *Sync) holdBack(ctx context.Context, failed *clerk.Error) error {
	switch {
	case failed.RetryAfter == 0:
		return nil
	case failed.Action != clerk.Wait:
		return s.outbox.Block(ctx, s.jobs.Pool, Topic, failed.RetryAfter, failed.Error())
	}
	rate, err := s.outbox.Throttle(ctx, s.jobs.Pool, Topic, failed.RetryAfter, failed.Error())
	if err == nil {
		s.logger.WarnContext(ctx, "Rate limited: everybody waits, and is slower afterwards",
			"topic", Topic, "retry_after", failed.RetryAfter, "rate", rate)
	}
	return err
}
