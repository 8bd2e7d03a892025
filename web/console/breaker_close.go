package console

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/claimsync/claimsync"
	"github.com/claimsync/claimsync/internal/operator"
	"github.com/claimsync/claimsync/internal/timewords"
	"github.com/claimsync/claimsync/outbox"
)

func (c *console) closeQuestion(r *http.Request) (*page, error) {
	gate, err := c.sync.Gate(r.Context(), c.config.River)
	if err != nil {
		return nil, err
	}
	return c.askToClose(r, gate)
}

// askToClose says what opened the breaker, and what closing it lets loose.
func (c *console) askToClose(r *http.Request, gate claimsync.Gate) (*page, error) {
	standing := gate.Destination
	q := &question{
		Asked: "Close the breaker?", Action: "/breaker/close", Button: "Close the breaker", Back: "/breaker",
		Fields: map[string]string{"shown": shownOf(standing)},
	}
	if standing.Breaker == nil && standing.Blocked == nil {
		q.Asked, q.Nothing = "The breaker is closed already, and Clerk asked for no wait.", true
		return q.page("Breaker", "/"), nil
	}
	waiting, err := c.waiting(r)
	if err != nil {
		return nil, err
	}
	q.Words = inSentences(&gate)
	q.Words = append(q.Words, waiting)
	if blocked := standing.Blocked; blocked != nil {
		q.Words = append(q.Words, fmt.Sprintf("It ends the wait until %s that Clerk asked for: who calls sooner may be "+
			"told to wait for longer.", moment{blocked.Until, gate.Now}.Absolute()))
		if standing.Breaker == nil {
			q.Asked, q.Button = "End the wait that Clerk asked for?", "End the wait"
		}
	}
	if standing.Breaker != nil {
		q.Words = append(q.Words, "If what opened it persists, it soon opens again.")
	}
	return q.page("Breaker", "/"), nil
}

// shownOf is what the question was about: another opening since, or another cause, is asked about again.
func shownOf(standing outbox.Standing) string {
	if standing.Breaker == nil {
		return "closed"
	}
	return string(standing.Breaker.Cause) + " " + standing.Breaker.Since.UTC().Format(time.RFC3339Nano)
}

func (c *console) closeBreaker(r *http.Request) (*outcome, error) {
	gate, err := c.sync.Gate(r.Context(), c.config.River)
	if err != nil {
		return nil, err
	}
	if gate.Destination.Breaker == nil && gate.Destination.Blocked == nil {
		return &outcome{to: "/", notice: notice{code: "closed_before"}}, nil
	}
	if !confirmed(r) || r.PostFormValue("shown") != shownOf(gate.Destination) {
		asked, err := c.askToClose(r, gate)
		return &outcome{question: asked}, err
	}
	var change *outbox.Change
	who := operator.Of(r)
	err = c.sync.Operate(r.Context(), who, claimsync.ActionBreakerClose, "", func(ctx context.Context) (_ string, err error) {
		change, err = c.sync.Outbox().Close(ctx, c.sync.Jobs().Pool, c.waker, claimsync.Topic)
		if change == nil {
			return "was closed already", err
		}
		return "closed; it was open for " + timewords.Span(change.Lasted), err
	})
	said := notice{code: "closed"}
	switch {
	case change == nil && gate.Destination.Blocked != nil:
		said.code = "wait_ended"
	case change == nil:
		said.code = "closed_before"
	}
	return &outcome{to: "/", notice: said}, err
}
