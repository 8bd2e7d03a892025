package claimsync

import (
	"context"
	"time"

	"github.com/claimsync/claimsync/internal/recurring"
	"github.com/claimsync/claimsync/outbox"
)

// Renewal pushes again what has not changed for long, so that claims_as_of, by which a reader of tokens sees how old they
// are, is old only if something is wrong. It costs what is pushed and nothing else: there is no index of when what was
// pushed last, but a walk over all organizations, renewalWalks times in the interval. A walk marks what was last pushed
// more than renewalAge walks ago. While all works, what it finds a little younger than that is marked by the next, seven
// eighths of the interval old; the last eighth is for the push, or for one more walk if that one found the row locked.
const (
	renewalWalks = 8
	renewalAge   = renewalWalks - 2 // what is older than so many walks is renewed

	// renewalBatch is how many organizations a step looks at: rows are locked meanwhile, for some 20 ms.
	renewalBatch = 100
	// renewalLook is how often a process looks whether a step is due, at most.
	renewalLook = 4 * time.Second
	// renewalBacklog is how many changes may wait at most for anything to be renewed: what waits already is renewed by its
	// push, and more than that would only be in the way of people who look for what is wrong.
	renewalBacklog = 1000
)

// renewal is how the fleet renews.
type renewal struct {
	every time.Duration // 0 or less: never
}

// period is how long a walk takes.
func (r renewal) period() time.Duration { return r.every / renewalWalks }

// age is what is renewed when a walk comes by.
func (r renewal) age() time.Duration { return r.period() * renewalAge }

// over tells whether the time of a walk is; also if it is yet to come, because the database's clock was ahead.
func (r renewal) over(elapsed time.Duration) bool { return elapsed >= r.period() || elapsed < 0 }

// look is how often a process looks whether a step is due.
func (r renewal) look() time.Duration { return min(renewalLook, r.period()/renewalWalks+1) }

// size is how many organizations a walk is behind its pace, up to a batch. Once its time is over, all that is left is due.
func (r renewal) size(total, done int64, elapsed time.Duration) int32 {
	if r.over(elapsed) {
		return renewalBatch
	}
	due := int64(float64(total) * elapsed.Seconds() / r.period().Seconds())
	return int32(min(max(0, due-done), renewalBatch))
}

// renewRegularly renews at the pace that RenewEvery gives, in turn with the other processes, until ctx is done.
func (s *Sync) renewRegularly(ctx context.Context, waker outbox.Waker) {
	if s.clerk == nil || s.renewal.every <= 0 {
		return
	}
	compared := false
	recurring.Run(ctx, s.logger, "Renewing claims", s.renewal.look(), func(ctx context.Context) error {
		if !compared {
			if err := s.compareRenewal(ctx); err != nil {
				return err
			}
			compared = true
		}
		return s.renew(ctx, waker)
	})
}

// renew makes the steps that are due, and rests after each for as long as it took.
func (s *Sync) renew(ctx context.Context, waker outbox.Waker) error {
	for {
		if idle, err := s.idle(ctx); !idle || err != nil {
			return err
		}
		begun := time.Now()
		walked, err := s.renewStep(ctx, waker)
		if err != nil || walked == 0 {
			return err
		}
		if err := pause(ctx, time.Since(begun)); err != nil {
			return err
		}
	}
}

// idle reports whether Clerk can be called, and not too much waits for that.
func (s *Sync) idle(ctx context.Context) (bool, error) {
	standing, err := s.outbox.Standing(ctx, s.jobs.Pool, Topic)
	if err != nil || standing.Breaker != nil || standing.Blocked != nil {
		return false, err
	}
	backlog, err := s.outbox.Backlog(ctx, s.jobs.Pool, Topic, renewalBacklog)
	return backlog.Dirty < renewalBacklog, err
}
