package jobs

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/claimsync/claimsync/internal/recurring"
)

// announceAgain is how long after a failure of the database jobs are announced again.
const announceAgain = time.Second

// Maintainer does step 5 of the protocol, sweep, probes a destination whose breaker is open, and announces the jobs whose
// transactions did not. It runs beside River and not on it, because it guards against what River may lose, and goes on
// while its queue is paused: recovery does not wait for River to elect a leader.
type Maintainer struct {
	config  Config
	queue   Waker
	probing sync.WaitGroup
	byHand  map[string]bool // the topics whose breaker a person holds open
}

// NewMaintainer returns a Maintainer of the topics of config.
func NewMaintainer(config Config, queue Waker) *Maintainer {
	config = config.withDefaults()
	config.bursts = newBurstLog(config.Logger)
	return &Maintainer{config: config, queue: queue, byHand: map[string]bool{}}
}

// Run sweeps and probes until ctx is done and no probe is under way. It belongs into every process of the fleet: they
// take turns. It goes on through failures of the database.
func (m *Maintainer) Run(ctx context.Context) {
	defer m.config.bursts.end()
	defer m.probing.Wait()
	defer m.announce(ctx)()
	m.probeSoon(ctx)
	recurring.Run(ctx, m.config.Logger, "Maintaining the outbox", m.config.SweepEvery, m.maintain)
}

// maintain goes through the topics; one that fails does not keep it from the others.
func (m *Maintainer) maintain(ctx context.Context) error {
	var failures []error
	for topic, destination := range m.config.Destinations {
		failures = append(failures, m.sweep(ctx, topic), m.lookAtBreaker(ctx, topic, destination))
	}
	return errors.Join(failures...)
}

// announce announces jobs until ctx is done. The caller waits for its end.
func (m *Maintainer) announce(ctx context.Context) (wait func()) {
	var announcing sync.WaitGroup
	announcing.Go(func() {
		recurring.Run(ctx, m.config.Logger, "Announcing jobs", announceAgain, func(ctx context.Context) error {
			return m.config.Outbox.Announce(ctx, m.config.Pool)
		})
	})
	return announcing.Wait
}

func (m *Maintainer) sweep(ctx context.Context, topic string) error {
	// Less than the interval at which we come, or every other time we would come a little early.
	woken, err := m.config.Outbox.Sweep(ctx, m.config.Pool, m.queue, topic, m.config.SweepEvery*3/4)
	if woken > 0 {
		m.config.Observer.Swept(topic, woken)
		m.config.Logger.WarnContext(ctx, "Woke rows that had no live job", "topic", topic, "rows", woken)
	}
	return err
}

// probeSoon is for a process that starts: it may be the one with the right key.
func (m *Maintainer) probeSoon(ctx context.Context) {
	for topic := range m.config.Destinations {
		if err := m.config.Outbox.ProbeSoon(ctx, m.config.Pool, topic); err != nil && ctx.Err() == nil {
			m.config.Logger.WarnContext(ctx, "Not probing at once", "topic", topic, "err", err)
		}
	}
}
