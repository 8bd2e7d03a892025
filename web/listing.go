package web

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/claimsync/claimsync"
	"github.com/claimsync/claimsync/outbox"
)

// The size of a page.
const (
	defaultLimit = 50
	maxLimit     = 500
)

type listing struct {
	Organizations []summary `json:"organizations"`
	NextCursor    *string   `json:"next_cursor"` // null: this is the last page
}

func (s *server) listOrganizations(w http.ResponseWriter, r *http.Request) error {
	query, err := parseListQuery(r.URL.RawQuery)
	if err != nil {
		return err
	}
	listed, next, err := s.config.Sync.Organizations(r.Context(), query.from, query.limit)
	if err != nil {
		return err
	}
	page := listing{Organizations: make([]summary, len(listed))}
	for i := range listed {
		page.Organizations[i] = summaryOf(&listed[i].Organization, listed[i].Status)
	}
	if next != nil {
		token, err := next.Token()
		if err != nil {
			return err
		}
		page.NextCursor = &token
	}
	return answer(w, http.StatusOK, page)
}

// listQuery asks for a page.
type listQuery struct {
	limit int
	from  claimsync.Cursor
}

// parseListQuery takes an empty parameter for an absent one, so that a script may always send them all. An unknown one
// is refused: a filter with a slip in its name would list everything.
func parseListQuery(raw string) (listQuery, error) {
	values, err := url.ParseQuery(raw)
	if err != nil {
		return listQuery{}, newProblem(http.StatusBadRequest, "The query string is malformed.")
	}
	for name, given := range values {
		switch {
		case !slices.Contains([]string{"limit", "cursor", "sync"}, name):
			return listQuery{}, invalidParameter(name, "is not a known parameter")
		case len(given) > 1:
			return listQuery{}, invalidParameter(name, "is given twice")
		}
	}
	sync, err := parseSync(values.Get("sync"))
	if err != nil {
		return listQuery{}, err
	}
	limit, err := parseLimit(values.Get("limit"))
	if err != nil {
		return listQuery{}, err
	}
	from, err := parseCursor(values.Get("cursor"), sync)
	return listQuery{limit: limit, from: from}, err
}

func parseCursor(token string, sync outbox.State) (claimsync.Cursor, error) {
	from, err := claimsync.ParseCursor(token, claimsync.Listing{State: sync})
	switch {
	case errors.Is(err, claimsync.ErrDamagedCursor):
		return from, invalidParameter("cursor", "must be a next_cursor from this listing")
	case errors.Is(err, claimsync.ErrOtherListing):
		return from, invalidParameter("cursor", "belongs to the listing with sync=%s", from.State)
	}
	return from, err
}

func parseSync(text string) (outbox.State, error) {
	switch state := outbox.State(text); state {
	case "", claimsync.StateUnlinked, outbox.StateClean, outbox.StateDirty, outbox.StateParked:
		return state, nil
	default:
		return "", invalidParameter("sync", "must be unlinked, clean, dirty or parked")
	}
}

func parseLimit(text string) (int, error) {
	if text == "" {
		return defaultLimit, nil
	}
	limit, err := strconv.Atoi(text)
	if err != nil || limit < 1 || limit > maxLimit {
		return 0, invalidParameter("limit", "must be a whole number from 1 to %d", maxLimit)
	}
	return limit, nil
}
