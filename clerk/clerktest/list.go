package clerktest

import (
	"cmp"
	"math"
	"net/url"
	"slices"
	"strings"
)

// maxListedIDs is how many organization_id parameters a list may have.
const maxListedIDs = 100

type organizationListJSON struct {
	Data       []organizationJSON `json:"data"`
	TotalCount int                `json:"total_count"` // of all that match, not only of this page
}

// GET /organizations
func (s *Server) listOrganizations(c *call) (any, error) {
	query, err := c.queryParams("limit", "offset", "order_by", "query", "organization_id", "user_id",
		"include_members_count", "include_missing_member_with_elevated_permissions")
	if err != nil {
		return nil, err
	}
	limit, err := queryInt(query, "limit", 10, 1, 500)
	if err != nil {
		return nil, err
	}
	offset, err := queryInt(query, "offset", 0, 0, math.MaxInt32)
	if err != nil {
		return nil, err
	}
	countMembers, err := queryBool(query, "include_members_count")
	if err != nil {
		return nil, err
	}
	found, err := s.matching(query)
	if err != nil {
		return nil, err
	}
	page := found[min(offset, len(found)):min(offset+limit, len(found))]
	list := organizationListJSON{Data: []organizationJSON{}, TotalCount: len(found)}
	for _, o := range page {
		list.Data = append(list.Data, o.json().withMembersCount(countMembers))
	}
	return list, nil
}

// matching returns the organizations that the query asks for, in its order.
func (s *Server) matching(query url.Values) ([]Organization, error) {
	if query.Has("user_id") {
		return nil, paramInvalid("user_id", "is not emulated: there are no members")
	}
	chosen, err := chosenByID(query["organization_id"])
	if err != nil {
		return nil, err
	}
	found := slices.DeleteFunc(s.latestFirst(), func(o Organization) bool {
		return !chosen(o.ID) || !matchesText(o, query.Get("query"))
	})
	return found, order(found, query.Get("order_by"))
}

// chosenByID reads organization_id parameters: with "-" one is left out, with "+" or nothing it is let in. A plus that
// was not escaped arrives as a space.
func chosenByID(ids []string) (func(id string) bool, error) {
	if len(ids) > maxListedIDs {
		return nil, paramInvalid("organization_id", "may be given at most 100 times")
	}
	include, exclude := map[string]bool{}, map[string]bool{}
	for _, id := range ids {
		if rest, ok := strings.CutPrefix(id, "-"); ok {
			exclude[rest] = true
		} else {
			include[strings.TrimLeft(id, "+ ")] = true
		}
	}
	return func(id string) bool { return !exclude[id] && (len(include) == 0 || include[id]) }, nil
}

func matchesText(o Organization, text string) bool {
	text = strings.ToLower(text)
	return o.ID == text || strings.Contains(strings.ToLower(o.Name), text) || strings.Contains(o.Slug, text)
}

// order sorts what is now the latest first. The members are nobody's, so that ordering by their number does nothing.
func order(found []Organization, by string) error {
	property := strings.TrimLeft(by, "+- ")
	var compare func(a, b Organization) int
	switch {
	case by == "":
		return nil
	case property == "name":
		compare = func(a, b Organization) int { return cmp.Compare(a.Name, b.Name) }
	case property == "created_at":
		compare = func(a, b Organization) int {
			return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.sequence, b.sequence))
		}
	case property == "members_count":
		return nil
	default:
		return paramInvalid("order_by", "must be name, created_at or members_count")
	}
	slices.SortStableFunc(found, func(a, b Organization) int {
		if strings.HasPrefix(by, "-") {
			a, b = b, a
		}
		return compare(a, b)
	})
	return nil
}
