package outbox

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/claimsync/claimsync/db"
	"github.com/claimsync/claimsync/db/dbsqlc"
)

// QueuePause is a pause of the River queue of a topic's jobs.
type QueuePause struct {
	Since time.Time
	// ByBreaker is whether the breaker made it and will end it; if not, a person has to.
	ByBreaker bool
}

// QueuePause returns the pause of the topic's queue; nil: it is not paused, or no process has worked it yet.
func (o *Outbox) QueuePause(ctx context.Context, conn db.Querier, topic string) (*QueuePause, error) {
	row, err := o.queries.QueuePause(ctx, o.river.in(conn), topic)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("looking at queue %s: %w", topic, err)
	}
	return &QueuePause{Since: row.PausedAt, ByBreaker: row.ByBreaker}, nil
}

// QueueJobs are the jobs in the River queue of a topic. They are wake-ups: what has to be delivered is the Backlog.
type QueueJobs struct {
	// ByState has all of River's states but those in which a job has done its work.
	ByState map[string]int64
	// OldestDue is for how long the oldest has been due that no process has taken yet, by its priority; 0: there is none.
	OldestDue map[Priority]time.Duration
}

// QueueJobs counts the jobs in the topic's queue, but no further than most of a state. Its cost grows with what it counts,
// and not with how many completed jobs River keeps.
func (o *Outbox) QueueJobs(ctx context.Context, conn db.Querier, topic string, most int32) (QueueJobs, error) {
	river := o.river.in(conn)
	states, err := o.queries.QueueJobStates(ctx, river, dbsqlc.QueueJobStatesParams{Queue: topic, Most: most})
	if err != nil {
		return QueueJobs{}, fmt.Errorf("counting the jobs of queue %s: %w", topic, err)
	}
	due, err := o.queries.QueueOldestDue(ctx, river, topic)
	if err != nil {
		return QueueJobs{}, fmt.Errorf("looking for the oldest job of queue %s: %w", topic, err)
	}
	jobs := QueueJobs{ByState: map[string]int64{}, OldestDue: map[Priority]time.Duration{}}
	for _, of := range states {
		jobs.ByState[of.State] = of.Jobs
	}
	for _, of := range due {
		jobs.OldestDue[Priority(of.Priority)] = max(0, of.Age)
	}
	return jobs, nil
}
