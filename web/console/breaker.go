package console

import (
	"context"
	"net/http"
	"strings"

	"github.com/claimsync/claimsync"
	"github.com/claimsync/claimsync/internal/operator"
	"github.com/claimsync/claimsync/outbox"
)

type breakerPage struct {
	Breaker  *outbox.Breaker // nil: closed
	ByPerson bool
	Blocked  bool
	Words    []string
	Reason   string // that was typed before
	Missing  bool   // a reason was asked for, and none given
}

// maxReason is how long a reason may be, in characters.
const maxReason = 200

func (c *console) breaker(r *http.Request) (*page, error) { return c.breakerPage(r, false) }

func (c *console) breakerPage(r *http.Request, missing bool) (*page, error) {
	gate, err := c.sync.Gate(r.Context(), c.config.River)
	if err != nil {
		return nil, err
	}
	breaker := gate.Destination.Breaker
	body := &breakerPage{
		Breaker: breaker, ByPerson: breaker != nil && breaker.Cause == outbox.CauseOperator,
		Blocked: gate.Destination.Blocked != nil, Words: inSentences(&gate),
		Reason: reasonOf(r.URL.Query().Get("reason")), Missing: missing,
	}
	return &page{name: "breaker", Title: "Breaker", Section: "/", Live: true, Now: gate.Now, Body: body}, nil
}

func (c *console) openBreaker(r *http.Request) (*outcome, error) {
	reason := reasonOf(r.PostFormValue("reason"))
	if reason == "" {
		asked, err := c.breakerPage(r, true)
		return &outcome{question: asked}, err
	}
	var change *outbox.Change
	err := c.sync.Operate(r.Context(), operator.Of(r), claimsync.ActionBreakerOpen, reason, func(ctx context.Context) (_ string, err error) {
		change, err = c.sync.Outbox().Open(ctx, c.sync.Jobs().Pool, c.waker, claimsync.Topic, reason)
		if change == nil {
			return "a person had opened it already", err
		}
		return "opened", err
	})
	said := notice{code: "opened"}
	if change == nil {
		said.code = "opened_before"
	}
	return &outcome{to: "/", notice: said}, err
}

// reasonOf makes what a person typed a reason: one line, not too long.
func reasonOf(text string) string {
	text = strings.Join(strings.Fields(strings.ReplaceAll(fitForQuery(text), "\uFFFD", " ")), " ")
	if characters := []rune(text); len(characters) > maxReason {
		text = string(characters[:maxReason])
	}
	return text
}

// fitForQuery is text that Postgres takes.
func fitForQuery(text string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "\uFFFD")
}
