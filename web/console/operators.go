package console

import (
	"net/http"
	"strconv"

	"github.com/claimsync/claimsync"
)

type operatorsPage struct {
	Rows  []claimsync.OperatorAction
	First string
	Next  string
}

func (c *console) operators(r *http.Request) (*page, error) {
	before, err := idOf(r.URL.Query().Get("before"))
	if err != nil {
		return nil, err
	}
	rows, err := c.sync.OperatorLog(r.Context(), before, pageSize+1)
	if err != nil {
		return nil, err
	}
	body := &operatorsPage{Rows: rows}
	if len(rows) > pageSize {
		body.Rows = rows[:pageSize]
		body.Next = "/operators?before=" + strconv.FormatInt(rows[pageSize-1].ID, 10)
	}
	if before > 0 {
		body.First = "/operators"
	}
	now, err := c.now(r)
	return &page{name: "operators", Title: "Operator log", Section: "/operators", Live: true, Now: now, Body: body}, err
}

// onOrganizations are the actions whose target is one.
var onOrganizations = map[string]bool{"push": true, "recalculate": true, "redrive": true, "compare": true}
