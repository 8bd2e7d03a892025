package console

import (
	"context"
	"fmt"
	"net/http"
	"strconv"

	"github.com/claimsync/claimsync"
	"github.com/claimsync/claimsync/internal/operator"
)

type driftPage struct {
	claimsync.LastDriftCheck
	Words    []string
	Kinds    []driftKind
	Drifts   []claimsync.Drift // a page of the report's
	From, To int               // which of them, from 1
	Next     string
	First    string
	Busy     bool // one is asked for, or under way
}

type driftKind struct {
	Kind  claimsync.DriftKind
	Count int
}

func (c *console) drift(r *http.Request) (*page, error) {
	last, err := c.sync.LastDriftCheck(r.Context())
	if err != nil {
		return nil, err
	}
	now, err := c.now(r)
	if err != nil {
		return nil, err
	}
	body := &driftPage{LastDriftCheck: last, Busy: last.RequestedAt != nil || last.UnderWay}
	if last.Report != nil {
		skip, err := idOf(r.URL.Query().Get("from"))
		if err != nil {
			return nil, err
		}
		body.show(last.Report, int(min(skip, int64(len(last.Report.Drifts)))))
	}
	return &page{
		name: "drift", Title: "Drift", Section: "/drift", Live: true, Status: body.announced(), Now: now, Body: body,
	}, nil
}

// announced is what is under way, without times, which change by the second.
func (p *driftPage) announced() string {
	switch {
	case p.UnderWay:
		return "A check is under way."
	case p.RequestedAt != nil:
		return "A check was asked for."
	default:
		return "No check is under way."
	}
}

// show shows a page of the report.
func (p *driftPage) show(report *claimsync.DriftReport, skip int) {
	p.Words = report.InWords()
	for _, kind := range claimsync.DriftKinds() {
		if n := report.Kinds[kind]; n > 0 {
			p.Kinds = append(p.Kinds, driftKind{kind, n})
		}
	}
	to := min(skip+pageSize, len(report.Drifts))
	p.Drifts, p.From, p.To = report.Drifts[skip:to], skip+1, to
	if to < len(report.Drifts) {
		p.Next = "/drift?from=" + strconv.Itoa(to)
	}
	if skip > 0 {
		p.First = "/drift"
	}
}

func (c *console) checkDrift(r *http.Request) (*outcome, error) { return c.requestDriftCheck(r, false) }

func (c *console) repairDrift(r *http.Request) (*outcome, error) {
	if !confirmed(r) {
		asked, err := c.repairQuestion(r)
		return &outcome{question: asked}, err
	}
	return c.requestDriftCheck(r, true)
}

func (c *console) requestDriftCheck(r *http.Request, repair bool) (*outcome, error) {
	name := claimsync.ActionDriftCheck
	if repair {
		name = claimsync.ActionDriftRepair
	}
	said := notice{code: "drift_already"}
	err := c.sync.Operate(r.Context(), operator.Of(r), name, "", func(ctx context.Context) (string, error) {
		asked, err := c.sync.RequestDriftCheck(ctx, repair)
		if !asked {
			return "one was asked for already, or is under way", err
		}
		said.code = "drift_asked"
		return "asked for", err
	})
	return &outcome{to: "/drift", notice: said}, err
}

func (c *console) repairQuestion(r *http.Request) (*page, error) {
	last, err := c.sync.LastDriftCheck(r.Context())
	if err != nil {
		return nil, err
	}
	known := "How many that are is not known: there was no check yet."
	if last.Report != nil {
		known = fmt.Sprintf("The last check found %s that differed.", organizationsOf(claimsync.Count{N: int64(last.Report.Drifted)}))
	}
	q := &question{
		Asked: "Check for drift, and push over what differs?", Action: "/drift/repair", Button: "Check and repair", Back: "/drift",
		Words: []string{
			known,
			"All of Clerk's organizations are listed, and what differs on a second look is handed over: a worker reads it back, and " +
				"pushes it again if it is still so, behind all changes and at the pace of the budget.",
			"What is contested, missing at Clerk or unknown to us is left.",
		},
	}
	return q.page("Repair", "/drift"), nil
}
