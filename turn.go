package claimsync

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/claimsync/claimsync/clerk"
	"github.com/claimsync/claimsync/outbox"
)

const (
	// turnSpread keeps those that wait for the same instant from asking as one.
	turnSpread = 60 * time.Millisecond
	// turnAskAgain is until the budget is asked again that does not say how long it will be.
	turnAskAgain = 100 * time.Millisecond
)

// ErrBreakerOpen says that Clerk may not be called.
var ErrBreakerOpen = errors.New("the breaker before Clerk is open")

// awaitTurn returns when it is our turn to call Clerk, by the fleet's budget. While Clerk asked everybody to wait, so does
// it; an open breaker is ErrBreakerOpen.
func (s *Sync) awaitTurn(ctx context.Context, priority outbox.Priority) error {
	for {
		reservation, err := s.outbox.Reserve(ctx, s.jobs.Pool, Topic, priority, false)
		switch {
		case err != nil:
			return err
		case reservation.Granted:
			return pause(ctx, reservation.Wait)
		case reservation.Wait == 0:
			if err := s.checkBreaker(ctx); err != nil {
				return err
			}
			reservation.Wait = turnAskAgain
		}
		if err := pause(ctx, reservation.Wait+rand.N(turnSpread)); err != nil {
			return err
		}
	}
}

func (s *Sync) checkBreaker(ctx context.Context) error {
	standing, err := s.outbox.Standing(ctx, s.jobs.Pool, Topic)
	if err != nil || standing.Breaker == nil {
		return err
	}
	return fmt.Errorf("%w (%s): %s", ErrBreakerOpen, standing.Breaker.Cause, standing.Breaker.Reason)
}

// holdBack keeps everybody from calling Clerk for as long as it said, if it did.
func (s *Sync) holdBack(ctx context.Context, failed *clerk.Error) error {
	pool := s.jobs.Pool
	switch {
	case failed.RetryAfter == 0:
		return nil
	case failed.Action != clerk.Wait:
		return s.outbox.Block(ctx, pool, Topic, failed.RetryAfter, failed.Error())
	}
	rate, err := s.outbox.Throttle(ctx, pool, Topic, failed.RetryAfter, failed.Error())
	if err != nil {
		return err
	}
	s.logger.WarnContext(ctx, "Rate limited: everybody waits, and is slower afterwards",
		"topic", Topic, "retry_after", failed.RetryAfter, "rate", rate)
	return nil
}

// pause returns after d, or when ctx is done, with its error: at once, if its deadline is before.
func pause(ctx context.Context, d time.Duration) error {
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) <= d {
		return context.DeadlineExceeded
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
