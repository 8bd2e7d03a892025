package clerk

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	clerksdk "github.com/clerk/clerk-sdk-go/v2"
)

// What Clerk admits in one list.
const (
	MaxListLimit = 500 // organizations
	MaxListIDs   = 100 // of them asked for by their ids
)

// listPatience is how many times as long as another call a list may take: it is much more to send, and no lease waits.
const listPatience = 4

// ListParams says which organizations to list. The zero value is the first page of all.
type ListParams struct {
	Limit  int // 1 to MaxListLimit; 0: MaxListLimit
	Offset int
	// IDs are the organizations to choose from, at most MaxListIDs; none: all. Those that do not exist are left out.
	IDs []string
}

var (
	errNoList    = errors.New("the answer is not a list of organizations")
	errOtherList = errors.New("the answer has organizations that were not asked for")
)

// List reads a page of the instance's organizations, in the order in which they were created, so that one that is
// created while pages are read comes last. One that is deleted meanwhile moves those behind it up, of which the next page
// then misses one. total is how many there are in all, on whatever page. A failure is an *Error, never Ambiguous.
//
// https://clerk.com/docs/reference/backend-api/tag/organizations/get/organizations
func (c *Client) List(ctx context.Context, params ListParams) (page []Organization, total int64, _ Receipt, _ error) {
	query, err := params.query()
	if err != nil {
		return nil, 0, Receipt{}, &Error{Action: Park, Err: err}
	}
	request := clerksdk.NewAPIRequest(http.MethodGet, "/organizations")
	request.SetParams(query)
	var answer listAnswer
	terms := terms{intent: reads, timeout: listPatience * c.timeout, maxAnswer: maxList}
	receipt, err := c.exchange(ctx, terms,
		func(ctx context.Context) error { return c.organizations.Backend.Call(ctx, request, &answer) },
		func() (err error) {
			page, total, err = answer.read(params)
			return err
		})
	if err != nil {
		return nil, 0, receipt, err
	}
	return page, total, receipt, nil
}

// listQuery is what the SDK's own parameters cannot say: which ids.
type listQuery struct {
	clerksdk.APIParams
	values url.Values
}

func (q *listQuery) ToQuery() url.Values { return q.values }

// query also keeps an id from meaning something else: with a minus before it, all others.
func (p ListParams) query() (*listQuery, error) {
	if p.Limit < 0 || p.Limit > MaxListLimit || p.Offset < 0 || len(p.IDs) > MaxListIDs {
		return nil, fmt.Errorf("a list of %d organizations from %d, of %d ids, is more than Clerk admits", p.Limit, p.Offset, len(p.IDs))
	}
	for _, id := range p.IDs {
		if err := checkOrganizationID(id); err != nil {
			return nil, err
		}
	}
	values := url.Values{
		"limit": {strconv.Itoa(p.limit())}, "offset": {strconv.Itoa(p.Offset)},
		"order_by": {"created_at"}, // ascending
	}
	if len(p.IDs) > 0 {
		values["organization_id"] = p.IDs
	}
	return &listQuery{values: values}, nil
}

func (p ListParams) limit() int {
	if p.Limit == 0 {
		return MaxListLimit
	}
	return p.Limit
}

// listAnswer tells what is missing from what is empty, as the SDK's does not.
type listAnswer struct {
	clerksdk.APIResource
	Data       []*clerksdk.Organization `json:"data"`
	TotalCount *int64                   `json:"total_count"`
}

// read says whether it is a list, of what was asked for. What others have put into the metadata is none of its concern.
func (a *listAnswer) read(params ListParams) ([]Organization, int64, error) {
	if a.Data == nil || a.TotalCount == nil || *a.TotalCount < 0 {
		return nil, 0, errNoList
	}
	if len(a.Data) > params.limit() {
		return nil, 0, errOtherList
	}
	asked := make(map[string]bool, len(params.IDs))
	for _, id := range params.IDs {
		asked[id] = true
	}
	page := make([]Organization, len(a.Data))
	for i, entry := range a.Data {
		switch {
		case entry == nil || entry.ID == "":
			return nil, 0, errNoList
		case len(asked) > 0 && !asked[entry.ID]:
			return nil, 0, errOtherList
		}
		page[i] = organizationFrom(entry)
	}
	return page, *a.TotalCount, nil
}
