package jobs

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/claimsync/claimsync/outbox"
)

// Sweeper does step 5 of the protocol. It runs beside River and not on it, because it guards against what River may
// lose: with it, recovery does not wait for River to elect a leader.
type Sweeper struct {
	config Config
	waker  outbox.Waker
}

// NewSweeper returns a Sweeper over the topics of config.
func NewSweeper(config Config, waker outbox.Waker) *Sweeper {
	return &Sweeper{config: config.withDefaults(), waker: waker}
}

// Run sweeps until ctx is done. It belongs into every process of the fleet: they take turns. It goes on through
// failures of the database.
func (s *Sweeper) Run(ctx context.Context) {
	failing := false
	for {
		err := s.sweep(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil && !failing:
			s.config.Logger.ErrorContext(ctx, "Sweeping fails", "err", err)
		case err == nil && failing:
			s.config.Logger.InfoContext(ctx, "Sweeping works again")
		}
		failing = err != nil

		select {
		case <-ctx.Done():
			return
		case <-time.After(s.config.SweepEvery - s.config.SweepEvery/8 + rand.N(s.config.SweepEvery/4)):
		}
	}
}

func (s *Sweeper) sweep(ctx context.Context) error {
	var failures []error
	for topic := range s.config.Destinations {
		// Less than the interval at which we come, or every other time we would come a little early.
		woken, err := s.config.Outbox.Sweep(ctx, s.config.Pool, s.waker, topic, s.config.SweepEvery*3/4)
		if woken > 0 {
			s.config.Observer.Swept(topic, woken)
			s.config.Logger.WarnContext(ctx, "Woke rows that had no live job", "topic", topic, "rows", woken)
		}
		failures = append(failures, err)
	}
	return errors.Join(failures...)
}
