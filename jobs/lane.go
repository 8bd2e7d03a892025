package jobs

import (
	"context"
	"time"

	"github.com/claimsync/claimsync/db"
	"github.com/claimsync/claimsync/internal/gather"
	"github.com/claimsync/claimsync/outbox"
)

// lane is a process's way to one destination: when a job's turn to call it comes, and the steps that jobs take together. What
// each of them would ask the database by itself costs it more than all else of a push.
type lane struct {
	pacer   *pacer // nil: there is no budget
	silence *silence

	claims           *gather.Group[outbox.ClaimRequest, outbox.Claim]
	acknowledgements *gather.Group[*attempt, time.Duration]
}

func newLane(config *Config, topic string) *lane {
	l := &lane{silence: newSilence(), claims: claimsOf(config, topic), acknowledgements: acknowledgementsOf(config, topic)}
	if config.Outbox.Limited(topic) {
		l.pacer = newPacer(func(ctx context.Context, priority outbox.Priority) (outbox.Reservation, error) {
			return config.Outbox.Reserve(ctx, config.Pool, topic, priority, false)
		})
	}
	return l
}

// turn returns nil when it is the job's turn, or ctx's error.
func (l *lane) turn(ctx context.Context, job *deliveryJob) error {
	for {
		if err := l.silence.over(ctx); err != nil || l.pacer == nil {
			return err
		}
		if err := l.pacer.turn(ctx, job); err != nil {
			return err
		}
		if !l.silence.lasts() {
			return nil
		}
		l.giveBack() // it has fallen silent meanwhile
	}
}

// giveBack lets another job have a turn that was not needed.
func (l *lane) giveBack() {
	if l.pacer != nil {
		l.pacer.giveBack()
	}
}

func claimsOf(config *Config, topic string) *gather.Group[outbox.ClaimRequest, outbox.Claim] {
	return gather.New(
		func(ctx context.Context, requests []outbox.ClaimRequest) ([]*outbox.Claim, error) {
			claims, err := config.Outbox.ClaimEach(ctx, config.Pool, topic, requests)
			return unlessRefused(claims, err, len(requests))
		},
		func(ctx context.Context, request outbox.ClaimRequest) (outbox.Claim, error) {
			return config.Outbox.Claim(ctx, config.Pool, topic, request.Key, request.JobID)
		},
	)
}

func acknowledgementsOf(config *Config, topic string) *gather.Group[*attempt, time.Duration] {
	return gather.New(
		func(ctx context.Context, attempts []*attempt) ([]*time.Duration, error) {
			acknowledgements := make([]outbox.Acknowledgement, len(attempts))
			for i, a := range attempts {
				acknowledgements[i] = a.acknowledgement()
			}
			lags, err := config.Outbox.AcknowledgeEach(ctx, config.Pool, topic, acknowledgements)
			return unlessRefused(lags, err, len(attempts))
		},
		func(ctx context.Context, a *attempt) (time.Duration, error) { return a.acknowledgeAlone(ctx) },
	)
}

// unlessRefused returns no results for what the database refused, so that what one of them is to blame for is no other's
// trouble. Of other errors, such as a lost connection, it is not known whether it was done.
func unlessRefused[R any](results []*R, err error, n int) ([]*R, error) {
	if db.Code(err) != "" {
		return make([]*R, n), nil
	}
	return results, err
}
