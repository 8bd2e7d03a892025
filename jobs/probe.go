package jobs

import (
	"context"
	"errors"

	"github.com/riverqueue/river"

	"github.com/claimsync/claimsync/outbox"
)

// lookAtBreaker probes the destination of a breaker that is open, and logs what a person did to it: whoever did that may
// have been no process that logs.
func (m *Maintainer) lookAtBreaker(ctx context.Context, topic string, destination outbox.Destination) error {
	standing, err := m.config.Outbox.Standing(ctx, m.config.Pool, topic)
	if err != nil {
		return err
	}
	breaker := standing.Breaker
	byHand := breaker != nil && breaker.Cause == outbox.CauseOperator
	switch {
	case byHand && !m.byHand[topic]:
		m.config.Logger.WarnContext(ctx, "A person opened the breaker", "topic", topic, "since", breaker.Since, "reason", breaker.Reason)
	case !byHand && m.byHand[topic]:
		m.config.Logger.InfoContext(ctx, "A person closed the breaker", "topic", topic)
	}
	m.byHand[topic] = byHand
	if breaker == nil {
		return nil
	}
	return m.probe(ctx, topic, destination)
}

// probe pushes one key, if it is time and no other process does it, and does not wait for the answer: the next probe is not to
// wait for a destination that does not answer.
func (m *Maintainer) probe(ctx context.Context, topic string, destination outbox.Destination) error {
	key, begun, err := m.config.Outbox.ProbeBegin(ctx, m.config.Pool, topic)
	if err != nil || !begun {
		return err
	}
	m.probing.Go(func() {
		err := m.push(ctx, topic, key, destination)
		if err != nil && ctx.Err() == nil && !errors.As(err, new(*loggedError)) {
			m.config.Logger.ErrorContext(ctx, "Probe broke", "topic", topic, "key", key, "err", err)
		}
	})
	return nil
}

// push makes the probe. If somebody else has the key by now, or the budget has nothing, the next one will be made.
func (m *Maintainer) push(ctx context.Context, topic, key string, destination outbox.Destination) error {
	if m.config.Outbox.Limited(topic) {
		reservation, err := m.config.Outbox.Reserve(ctx, m.config.Pool, topic, outbox.PriorityLive, true)
		if err != nil || !reservation.Granted {
			return err
		}
		sleep(ctx, reservation.Wait)
	}
	attempt := &attempt{config: &m.config, queue: m.queue, lease: outbox.Lease{Topic: topic, Key: key}}
	claim, err := attempt.claim(ctx)
	if err != nil || !claim.Held() {
		return err
	}
	err = attempt.carryOut(ctx, claim.Verdict, destination)
	if err != nil && !errors.As(err, new(*river.JobSnoozeError)) { // a snooze is for a job, and there is none
		return err
	}
	return attempt.acquit(ctx)
}

// acquit closes the breaker if the probe showed that the destination works.
func (a *attempt) acquit(ctx context.Context) error {
	if a.canceled {
		return nil
	}
	change, err := a.config.Outbox.Acquit(context.WithoutCancel(ctx), a.config.Pool, a.queue, a.lease.Topic, a.failure)
	a.config.logBreaker(ctx, a.lease.Topic, change)
	return err
}
