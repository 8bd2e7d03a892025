package console

import (
	"net/http"
	"strconv"

	"github.com/claimsync/claimsync"
	"github.com/claimsync/claimsync/scoring"
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

// onOrganizations are the actions whose target is one, or at the terminal several.
var onOrganizations = map[string]bool{
	"push": true, "recalculate": true, "redrive": true, "resync": true, "compare": true,
}

// onAll are the actions that without a target are on all.
var onAll = map[string]bool{"redrive_all": true, "resync_all": true, "recalculate_all": true}

// target is what something was done to, and where that is shown; "": nowhere.
type target struct{ Text, Path string }

func targetOf(action claimsync.OperatorAction) target {
	switch to := action.Target; {
	case to == "" && onAll[action.Action]:
		return target{Text: "all"}
	case onOrganizations[action.Action] && isID(to):
		return target{to, organizationPath(to)}
	default:
		return target{Text: to}
	}
}

// isID is whether the text is one id, of an organization or of Clerk's. What is none leads nowhere.
func isID(text string) bool {
	return len(scoring.ValidateID("id", text)) == 0 || len(scoring.ValidateClerkOrgID("id", text)) == 0
}
