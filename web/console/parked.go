package console

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/claimsync/claimsync"
	"github.com/claimsync/claimsync/internal/operator"
	"github.com/claimsync/claimsync/outbox"
)

type parkedPage struct {
	Groups []claimsync.ParkedGroup
	Total  claimsync.Count
	Reason string // that is shown; "": all
	Rows   []claimsync.Parked
	First  string
	Next   string
}

func (c *console) parked(r *http.Request) (*page, error) {
	query := r.URL.Query()
	from, err := claimsync.ParseCursor(query.Get("cursor"), claimsync.Listing{State: outbox.StateParked})
	if err != nil {
		return nil, err
	}
	body := &parkedPage{Reason: query.Get("reason")}
	if body.Groups, err = c.sync.ParkedGroups(r.Context()); err != nil {
		return nil, err
	}
	body.Total, _ = totalOf(body.Groups, "")
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
	groups, err := c.sync.ParkedGroups(r.Context())
	if err != nil {
		return nil, err
	}
	total, until := totalOf(groups, reason)
	what := "all that is parked"
	if reason != "" {
		what = fmt.Sprintf("what is parked for “%s”", reason)
	}
	q := &question{
		Asked: fmt.Sprintf("Redrive %s: %s?", what, organizationsOf(total)), Action: "/parked/redrive",
		Fields: map[string]string{"reason": reason, "until": until.UTC().Format(time.RFC3339Nano)},
		Button: "Redrive " + organizationsOf(total), Back: parkedPath(reason, ""),
		Words: []string{
			"They are pushed again, as if they had changed: behind all changes, at the pace of the budget.",
			"What Clerk refuses again is parked again. So first mend what was amiss.",
		},
	}
	if total.N == 0 {
		q.Asked, q.Words, q.Nothing = "Nothing is parked for that any more.", nil, true
	}
	return q.page("Redrive", "/parked"), nil
}

// totalOf adds up what was given up on for the reason, "" for whatever reason, and says when the last of it was.
func totalOf(groups []claimsync.ParkedGroup, reason string) (total claimsync.Count, until time.Time) {
	for _, group := range groups {
		if reason == "" || group.Reason == reason {
			total.N += group.Organizations.N
			total.OrMore = total.OrMore || group.Organizations.OrMore
			if group.LastParkedAt.After(until) {
				until = group.LastParkedAt
			}
		}
	}
	return total, until
}

func organizationsOf(n claimsync.Count) string {
	if n.N == 1 {
		return "1 organization"
	}
	return n.String() + " organizations"
}

func (c *console) redriveAll(r *http.Request) (*outcome, error) {
	reason := fitForQuery(r.PostFormValue("reason"))
	// The answer is for what was parked when the question was put: what is parked since was not looked at by anybody.
	until, damaged := time.Parse(time.RFC3339Nano, r.PostFormValue("until"))
	if !confirmed(r) || damaged != nil {
		asked, err := c.askToRedrive(r, reason)
		return &outcome{question: asked}, err
	}
	var redriven int64
	err := c.sync.Operate(r.Context(), operator.Of(r), claimsync.ActionRedriveAll, reason, func(ctx context.Context) (string, error) {
		ctx, cancel := context.WithTimeout(ctx, c.config.FanOutTimeout)
		defer cancel()
		var err error
		redriven, err = c.sync.RedriveAll(ctx, c.waker, claimsync.Redriving{Reason: reason, Until: until})
		return organizationsOf(claimsync.Count{N: redriven}) + " redriven", err
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
