package jobs

import (
	"context"

	"github.com/claimsync/claimsync/outbox"
)

// lane is a process's way to one destination: when a job's turn to call it comes.
type lane struct {
	pacer   *pacer // nil: there is no budget
	silence *silence
}

func newLane(config *Config, topic string) *lane {
	l := &lane{silence: newSilence()}
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
