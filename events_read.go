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

// ErrNoTurn is why Clerk was not called: others have used up what may be called now, or nobody may call.
var ErrNoTurn = errors.New("the budget or the breaker leaves no call to Clerk now")

// readOrganization reads an organization at Clerk, within the fleet's budget. One that is not there any more is
// returned without anything in it. Every failure of Clerk's is a *clerk.Error, and so is that it may not be called now.
func (s *Sync) readOrganization(ctx context.Context, id string, priority outbox.Priority) (clerk.Organization, error) {
	if s.clerk == nil {
		return clerk.Organization{}, nil
	}
	if err := s.briefTurn(ctx, priority); err != nil {
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
		s.logger.InfoContext(ctx, "Clerk organization is gone", "key", id, "clerk_trace_id", receipt.TraceID)
		return clerk.Organization{}, nil
	}
	return clerk.Organization{}, errors.Join(err, s.holdBack(ctx, failed))
}

// briefTurn returns when it is our turn to call Clerk, or an error if it will not be soon. This process waits for one at a
// time, so that many events at once reserve no more than that ahead.
func (s *Sync) briefTurn(ctx context.Context, priority outbox.Priority) error {
	notNow := &clerk.Error{Action: clerk.Retry, Err: ErrNoTurn}
	waiting, cancel := context.WithTimeout(ctx, turnPatience)
	defer cancel()
	select {
	case s.reading <- struct{}{}:
		defer func() { <-s.reading }()
	case <-waiting.Done():
		return notNow
	}
	err := s.awaitTurn(waiting, priority)
	switch {
	case errors.Is(err, ErrBreakerOpen), errors.Is(err, context.DeadlineExceeded), waiting.Err() != nil:
		return notNow
	case err != nil:
		return err
	}
	return s.stillOurTurn(ctx, notNow)
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
