package console

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/claimsync/claimsync"
	"github.com/claimsync/claimsync/outbox"
	"github.com/claimsync/claimsync/web/operator"
)

type parkedPage struct {
	Groups []outbox.ParkedReason
	Total  int64
	Reason string // that is shown; "": all
	Rows   []claimsync.Parked
	First  string
	Next   string
}

func (c *console) parked(r *http.Request) (*page, error) {
	query := r.URL.Query()
	from, err := claimsync.ParseCursor(query.Get("cursor"), claimsync.ParkedListing)
	if err != nil {
		return nil, err
	}
	body := &parkedPage{Reason: query.Get("reason")}
	if body.Groups, err = c.sync.ParkedReasons(r.Context()); err != nil {
		return nil, err
	}
	for _, group := range body.Groups {
		body.Total += group.Rows
	}
	rows, next, err := c.sync.Parked(r.Context(), fitForQuery(body.Reason), from, pageSize)
	if err != nil {
		return nil, err
	}
	body.Rows = rows
	if from.After != "" {
		body.First = parkedPath(body.Reason, "")
	}
	if next != nil {
		token, err := next.Token()
		if err != nil {
			return nil, err
		}
		body.Next = parkedPath(body.Reason, token)
	}
	now, err := c.now(r)
	return &page{name: "parked", Title: "Parked", Section: "/parked", Live: true, Now: now, Body: body}, err
}

func parkedPath(reason, cursor string) string {
	query := url.Values{}
	if reason != "" {
		query.Set("reason", reason)
	}
	if cursor != "" {
		query.Set("cursor", cursor)
	}
	return pathWith("/parked", query)
}

// question is what is asked before something fans out.
type question struct {
	Asked   string
	Words   []string
	Action  string // where the answer goes
	Fields  map[string]string
	Button  string
	Back    string
	Nothing bool // there is nothing to be done
}

func (q *question) page(title, section string) *page {
	return &page{name: "question", Title: title, Section: section, Body: q}
}

func (c *console) redriveQuestion(r *http.Request) (*page, error) {
	return c.askToRedrive(r, fitForQuery(r.URL.Query().Get("reason")))
}

// askToRedrive says how many it is about.
func (c *console) askToRedrive(r *http.Request, reason string) (*page, error) {
	groups, err := c.sync.ParkedReasons(r.Context())
	if err != nil {
		return nil, err
	}
	total := int64(0)
	for _, group := range groups {
		if reason == "" || group.Reason == reason {
			total += group.Rows
		}
	}
	what := "all that is parked"
	if reason != "" {
		what = fmt.Sprintf("what is parked for “%s”", reason)
	}
	q := &question{
		Asked: fmt.Sprintf("Redrive %s: %s?", what, organizationsOf(total)), Action: "/parked/redrive",
		Fields: map[string]string{"reason": reason}, Button: "Redrive " + organizationsOf(total), Back: parkedPath(reason, ""),
		Words: []string{
			"They are pushed again, as if they had changed: behind all changes, at the pace of the budget.",
			"What Clerk refuses again is parked again. So first mend what was amiss.",
		},
	}
	if total == 0 {
		q.Asked, q.Words, q.Nothing = "Nothing is parked for that any more.", nil, true
	}
	return q.page("Redrive", "/parked"), nil
}

func organizationsOf(n int64) string {
	if n == 1 {
		return "1 organization"
	}
	return claimsync.Count{N: n}.String() + " organizations"
}

func (c *console) redriveAll(r *http.Request) (*outcome, error) {
	reason := fitForQuery(r.PostFormValue("reason"))
	if !confirmed(r) {
		asked, err := c.askToRedrive(r, reason)
		return &outcome{question: asked}, err
	}
	var redriven int64
	err := c.sync.Operate(r.Context(), operator.Of(r), "redrive_all", reason, func(ctx context.Context) (string, error) {
		ctx, cancel := context.WithTimeout(ctx, c.config.FanOutTimeout)
		defer cancel()
		var err error
		redriven, err = c.sync.RedriveAll(ctx, c.waker, reason, nil)
		return organizationsOf(redriven) + " redriven", err
	})
	said := notice{"redriven", redriven}
	switch {
	case redriven > 0 && errors.Is(err, context.DeadlineExceeded):
		said.code, err = "redriven_partly", nil
	case redriven == 0:
		said.code = "redriven_none"
	}
	return &outcome{to: "/parked", notice: said}, err
}
