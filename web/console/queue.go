package console

import (
	"context"
	"net/http"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/claimsync/claimsync"
	"github.com/claimsync/claimsync/db"
	"github.com/claimsync/claimsync/internal/operator"
)

// pausedByHand is since when a person has had the queue paused; nil: nobody has.
func pausedByHand(queue claimsync.Queue) *time.Time {
	if queue.PausedByBreaker {
		return nil
	}
	return queue.PausedAt
}

func (c *console) resumeQuestion(r *http.Request) (*page, error) {
	gate, err := c.sync.Gate(r.Context(), c.config.River)
	if err != nil {
		return nil, err
	}
	return c.askToResume(r, gate)
}

// askToResume says since when the queue is paused, by whom, and what that lets loose.
func (c *console) askToResume(r *http.Request, gate claimsync.Gate) (*page, error) {
	q := &question{Asked: "Resume the queue?", Action: "/queue/resume", Button: "Resume the queue", Back: "/"}
	since := pausedByHand(gate.Queue)
	if since == nil {
		q.Asked, q.Nothing = notice{code: "not_paused"}.String(), true
		return q.page("Queue", "/"), nil
	}
	q.Fields = map[string]string{"paused_at": since.UTC().Format(time.RFC3339Nano)}
	who := "a person, by means that keep no log"
	if gate.PausedBy != nil {
		who = whoIs(gate.PausedBy) + ", in River UI"
	}
	waiting, err := c.waiting(r)
	if err != nil {
		return nil, err
	}
	at := moment{*since, gate.Now}
	q.Words = []string{
		"It has been paused since " + at.Absolute() + " (" + at.Relative() + "), by " + who + ".", waiting,
	}
	if gate.Destination.Breaker != nil {
		q.Words = append(q.Words, "The breaker is open too: until it is closed, nothing but probes is pushed.")
	}
	return q.page("Queue", "/"), nil
}

// resumeQueue ends the pause that was shown, and no other: one that was made since has its own reason, and the
// breaker's is the breaker's to end.
func (c *console) resumeQueue(r *http.Request) (*outcome, error) {
	gate, err := c.sync.Gate(r.Context(), c.config.River)
	if err != nil {
		return nil, err
	}
	since := pausedByHand(gate.Queue)
	if since == nil {
		return &outcome{to: "/", notice: notice{code: "not_paused"}}, nil
	}
	shown, damaged := time.Parse(time.RFC3339Nano, r.PostFormValue("paused_at"))
	if !confirmed(r) || damaged != nil || !shown.Equal(*since) {
		asked, err := c.askToResume(r, gate)
		return &outcome{question: asked}, err
	}
	who := operator.Of(r)
	err = c.sync.Operate(r.Context(), who, claimsync.ActionQueueResume, claimsync.Topic, func(ctx context.Context) (string, error) {
		return "", db.Transact(ctx, c.sync.Jobs().Pool, func(tx pgx.Tx) error {
			return c.waker.ResumeTx(ctx, tx, claimsync.Topic, shown)
		})
	})
	return &outcome{to: "/", notice: notice{code: "resumed"}}, err
}
