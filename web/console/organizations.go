package console

import (
	"net/http"
	"net/url"

	"github.com/claimsync/claimsync"
	"github.com/claimsync/claimsync/outbox"
)

// pageSize is how many rows a page has.
const pageSize = 50

type organizationsPage struct {
	Listing claimsync.Listing
	States  []stateFilter
	Rows    []claimsync.Listed
	First   string // the first page; "": this is it
	Next    string // the next page; "": there is none
}

// stateFilter is a link to the organizations in a state.
type stateFilter struct {
	Name    string
	Path    string
	Current bool
}

var states = []struct {
	state outbox.State
	name  string
}{
	{"", "All"}, {outbox.StateDirty, "Dirty"}, {outbox.StateParked, "Parked"}, {outbox.StateClean, "Clean"},
	{claimsync.StateUnlinked, "Unlinked"},
}

func (c *console) organizations(r *http.Request) (*page, error) {
	query := r.URL.Query()
	listing := claimsync.Listing{State: outbox.State(query.Get("state")), Search: claimsync.SearchFor(query.Get("q"))}
	if !knownState(listing.State) {
		return nil, &refusal{http.StatusBadRequest, "There is no such state", "The link is damaged.", false}
	}
	from, err := claimsync.ParseCursor(query.Get("cursor"), listing)
	if err != nil {
		return nil, err
	}
	rows, next, err := c.sync.Organizations(r.Context(), from, pageSize)
	if err != nil {
		return nil, err
	}
	now, err := c.now(r)
	if err != nil {
		return nil, err
	}
	body := &organizationsPage{Listing: listing, Rows: rows}
	for _, s := range states {
		body.States = append(body.States, stateFilter{
			nameOf(s.state, s.name, listing.Search), organizationsPath(claimsync.Listing{State: s.state, Search: listing.Search}, ""), s.state == listing.State,
		})
	}
	if from.After != "" {
		body.First = organizationsPath(listing, "")
	}
	if next != nil {
		token, err := next.Token()
		if err != nil {
			return nil, err
		}
		body.Next = organizationsPath(listing, token)
	}
	return &page{name: "organizations", Title: "Organizations", Section: "/organizations", Live: true, Now: now, Body: body}, nil
}

// nameOf names a filter: what waits is listed by age, unless it is searched, which is by id.
func nameOf(state outbox.State, name, search string) string {
	if state == outbox.StateDirty && search == "" {
		return name + ", oldest first"
	}
	return name
}

func knownState(state outbox.State) bool {
	for _, s := range states {
		if s.state == state {
			return true
		}
	}
	return false
}

func organizationsPath(listing claimsync.Listing, cursor string) string {
	query := url.Values{}
	for name, value := range map[string]string{"state": string(listing.State), "q": listing.Search, "cursor": cursor} {
		if value != "" {
			query.Set(name, value)
		}
	}
	return pathWith("/organizations", query)
}

func pathWith(path string, query url.Values) string {
	if len(query) == 0 {
		return path
	}
	return path + "?" + query.Encode()
}
