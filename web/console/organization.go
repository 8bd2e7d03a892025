package console

import (
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/claimsync/claimsync"
	"github.com/claimsync/claimsync/clerk"
	"github.com/claimsync/claimsync/outbox"
)

// deliveriesShown is how many deliveries a page has.
const deliveriesShown = 25

type organizationPage struct {
	*claimsync.Explanation
	ID, Name   string // ours; of a Clerk organization that was unlinked, Clerk's
	Words      []string
	Claims     []claim
	Comparison *claimsync.Comparison // nil: Clerk was not asked
	Tried      string                // why Clerk could not be asked
	NextChange *time.Time            // when time alone changes the score; nil: never

	Log        []outbox.Delivery
	Older      string // the page with older deliveries; "": there are none
	LogIsOlder bool   // this is one
}

// claim is one of our keys at Clerk, side by side.
type claim struct {
	Key                  string
	Wanted, Applied, Now string // as JSON; "": none
	ToldOf               bool   // Applied is known
	Differs              bool   // what Clerk has now, or else had last, is not what is wanted
}

// CanRedrive is whether somebody has to say that it is to be pushed again.
func (o *organizationPage) CanRedrive() bool { return o.State == outbox.StateParked }

// Linked is whether there is anything to push to.
func (o *organizationPage) Linked() bool { return o.ClerkOrgID != "" }

func (c *console) organization(r *http.Request) (*page, error) {
	before, err := idOf(r.URL.Query().Get("before"))
	if err != nil {
		return nil, err
	}
	return c.organizationPage(r, before, nil)
}

// organizationPage is the page of the organization in the path, beside what Clerk has now if it was asked.
func (c *console) organizationPage(r *http.Request, before int64, found *claimsync.Comparison) (*page, error) {
	explained, err := c.sync.Explain(r.Context(), c.config.River, r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	explained.Gate.Now = explained.Gate.Now.UTC()
	body := &organizationPage{
		Explanation: explained, ID: explained.ClerkOrgID, Name: explained.ClerkOrgID,
		Words: explained.InWords(), Claims: claimsOf(explained, found), Comparison: found, LogIsOlder: before > 0,
	}
	if org := explained.Organization; org != nil {
		body.ID, body.Name = org.ID, org.Name
		if org.Score != nil && !org.Score.RecalculateAt.IsZero() {
			body.NextChange = &org.Score.RecalculateAt
		}
	}
	if body.Linked() {
		if err := c.deliveriesInto(r, body, before); err != nil {
			return nil, err
		}
	}
	return &page{
		name: "organization", Title: body.Name, Section: "/organizations", Live: found == nil && before == 0,
		Now: explained.Gate.Now, Body: body,
	}, nil
}

func (c *console) deliveriesInto(r *http.Request, body *organizationPage, before int64) (err error) {
	body.Log, err = c.sync.Deliveries(r.Context(), body.ClerkOrgID, before, deliveriesShown+1)
	if err != nil || len(body.Log) <= deliveriesShown {
		return err
	}
	body.Log = body.Log[:deliveriesShown]
	last := strconv.FormatInt(body.Log[deliveriesShown-1].ID, 10)
	body.Older = pathWith(organizationPath(body.ID), url.Values{"before": {last}}) + "#deliveries"
	return nil
}

func claimsOf(explained *claimsync.Explanation, found *claimsync.Comparison) []claim {
	wanted, applied := explained.Wanted(), explained.Applied()
	if found != nil {
		wanted = found.Want
	}
	claims := make([]claim, len(clerk.Keys()))
	for i, key := range clerk.Keys() {
		claims[i] = claim{Key: key, Wanted: wanted[key], Applied: applied[key], ToldOf: applied != nil}
		switch {
		case found != nil:
			claims[i].Now = found.Clerk[key]
			claims[i].Differs = claims[i].Now != claims[i].Wanted
		case applied != nil:
			claims[i].Differs = claims[i].Applied != claims[i].Wanted
		}
	}
	return claims
}

// idOf reads a place in a log; "" is 0, its newest end.
func idOf(text string) (int64, error) {
	if text == "" {
		return 0, nil
	}
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil || id < 1 {
		return 0, claimsync.ErrDamagedCursor
	}
	return id, nil
}
