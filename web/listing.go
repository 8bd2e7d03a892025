package web

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"

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
	rows, next, err := s.page(r.Context(), query)
	if err != nil {
		return fmt.Errorf("listing organizations: %w", err)
	}
	page := listing{Organizations: make([]summary, len(rows))}
	for i := range rows {
		page.Organizations[i] = rows[i].summary()
	}
	if next != nil {
		token, err := next.token()
		if err != nil {
			return err
		}
		page.NextCursor = &token
	}
	return answer(w, http.StatusOK, page)
}

// listQuery asks for a page. Its sync is empty for all organizations.
type listQuery struct {
	limit int
	after cursor
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
	after, err := parseCursor(values.Get("cursor"), sync)
	return listQuery{limit: limit, after: after}, err
}

func parseSync(text string) (outbox.State, error) {
	switch state := outbox.State(text); state {
	case "", stateUnlinked, outbox.StateClean, outbox.StateDirty, outbox.StateParked:
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
