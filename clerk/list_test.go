package clerk_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/claimsync/claimsync/clerk"
	"github.com/claimsync/claimsync/clerk/clerktest"
)

// idsOf are the ids of a page.
func idsOf(page []clerk.Organization) (ids []string) {
	for _, organization := range page {
		ids = append(ids, organization.ID)
	}
	return ids
}

// Page by page, the oldest first.
func TestList(t *testing.T) {
	t.Parallel()
	server := start(t)
	for n := 2; n <= 7; n++ {
		server.AddOrganization(fmt.Sprint("org_", n), "Acme")
	}
	client := connect(t, server.BaseURL())
	tests := map[string]struct {
		params clerk.ListParams
		want   []string
		total  int64
	}{
		"all":                   {clerk.ListParams{}, []string{"org_1", "org_2", "org_3", "org_4", "org_5", "org_6", "org_7"}, 7},
		"the first page":        {clerk.ListParams{Limit: 3}, []string{"org_1", "org_2", "org_3"}, 7},
		"the last page":         {clerk.ListParams{Limit: 3, Offset: 6}, []string{"org_7"}, 7},
		"none left":             {clerk.ListParams{Limit: 3, Offset: 7}, nil, 7},
		"some, one of them not": {clerk.ListParams{IDs: []string{"org_6", "org_none", "org_2"}}, []string{"org_2", "org_6"}, 2},
	}
	for name, test := range tests {
		page, total, receipt, err := client.List(t.Context(), test.params)
		if err != nil || receipt.Status != http.StatusOK || receipt.TraceID == "" || total != test.total {
			t.Errorf("%s: total %d, %+v, %v", name, total, receipt, err)
		}
		if diff := cmp.Diff(test.want, idsOf(page)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// The largest page there can be, of organizations that are as large as they can be.
func TestListOfLargeOrganizations(t *testing.T) {
	t.Parallel()
	server := start(t)
	padding := fmt.Appendf(nil, `{"theirs":%q}`, strings.Repeat("x", 8000))
	for n := range clerk.MaxListLimit {
		id := fmt.Sprint("org_", n)
		server.AddOrganization(id, id)
		server.EditMetadata(id, padding, padding)
	}
	page, _, _, err := connect(t, server.BaseURL()).List(t.Context(), clerk.ListParams{})
	if len(page) != clerk.MaxListLimit || err != nil {
		t.Errorf("%d organizations, %v", len(page), err)
	}
}

// What somebody else put into the metadata of one is no reason not to see the others.
func TestListOfMalformedMetadata(t *testing.T) {
	t.Parallel()
	server := start(t)
	server.AddOrganization("org_2", "Beta")
	server.EditMetadata("org_1", []byte(`{"certification_tier":{"a":[1]},"compliance_score":"87"}`), []byte(`[]`))
	server.EditMetadata("org_2", []byte(`{"certification_tier":"CERTIFIED"}`), nil)
	page, _, _, err := connect(t, server.BaseURL()).List(t.Context(), clerk.ListParams{})
	if err != nil {
		t.Fatal(err)
	}
	odd, even := page[0], page[1]
	if odd.CertificationTier.Found != `{"a":[1]}` || odd.ComplianceScore.Found != `"87"` ||
		odd.InsuranceValid.Presence != clerk.Absent || odd.Version.Found != "[]" || even.CertificationTier.V != "CERTIFIED" {
		t.Errorf("got %+v", page)
	}
}

// What is no list is never taken for one, above all not for an empty one: all would seem to be missing.
func TestListFailures(t *testing.T) {
	t.Parallel()
	const entry = `{"object":"organization","id":"org_1"}`
	limited := statusWait(429, 7*time.Second)
	tests := map[string]struct {
		fault  clerktest.Fault
		params clerk.ListParams
		action clerk.Action
	}{
		"truncated":           {clerktest.Fault{Effect: clerktest.Truncate}, clerk.ListParams{}, clerk.Retry},
		"empty 200":           {clerktest.Fault{Effect: clerktest.EmptyOK}, clerk.ListParams{}, clerk.Retry},
		"null":                {clerktest.Fault{Effect: clerktest.NullOK}, clerk.ListParams{}, clerk.Retry},
		"errors":              {clerktest.Fault{Effect: clerktest.ErrorsOK}, clerk.ListParams{}, clerk.Retry},
		"HTML 200":            {statusBody(200, "<html>log in</html>"), clerk.ListParams{}, clerk.Retry},
		"no data":             {statusBody(200, `{"total_count":0}`), clerk.ListParams{}, clerk.Retry},
		"data of null":        {statusBody(200, `{"data":null,"total_count":0}`), clerk.ListParams{}, clerk.Retry},
		"no total":            {statusBody(200, `{"data":[]}`), clerk.ListParams{}, clerk.Retry},
		"negative total":      {statusBody(200, `{"data":[],"total_count":-1}`), clerk.ListParams{}, clerk.Retry},
		"a bare array":        {statusBody(200, `[`+entry+`]`), clerk.ListParams{}, clerk.Retry},
		"an entry of null":    {statusBody(200, `{"data":[null],"total_count":1}`), clerk.ListParams{}, clerk.Retry},
		"an entry without id": {statusBody(200, `{"data":[{}],"total_count":1}`), clerk.ListParams{}, clerk.Retry},
		"an id of a number":   {statusBody(200, `{"data":[{"id":1}],"total_count":1}`), clerk.ListParams{}, clerk.Retry},
		"more than asked for": {
			statusBody(200, `{"data":[`+entry+`,`+entry+`],"total_count":2}`), clerk.ListParams{Limit: 1}, clerk.Retry,
		},
		"not the ones": {
			statusBody(200, `{"data":[`+entry+`],"total_count":1}`), clerk.ListParams{IDs: []string{"org_2"}}, clerk.Retry,
		},
		"larger than any list": {
			statusBody(200, `{"data":[],"total_count":0,"x":"`+strings.Repeat("x", 16<<20)+`"}`), clerk.ListParams{}, clerk.Retry,
		},
		"a redirect":      {status(301), clerk.ListParams{}, clerk.Retry},
		"HTML 500":        {statusBody(500, "<html>sorry</html>"), clerk.ListParams{}, clerk.Outage},
		"empty 503":       {status(503), clerk.ListParams{}, clerk.Outage},
		"a reset":         {clerktest.Fault{Effect: clerktest.ResetBefore}, clerk.ListParams{}, clerk.Outage},
		"too often":       {limited, clerk.ListParams{}, clerk.Wait},
		"a revoked key":   {status(401), clerk.ListParams{}, clerk.Stop},
		"another address": {status(404), clerk.ListParams{}, clerk.Missing},
		"refused":         {status(422), clerk.ListParams{}, clerk.Park},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := start(t)
			server.SetFaults(test.fault)
			page, total, receipt, err := connect(t, server.BaseURL()).List(t.Context(), test.params)
			if failed := failure(t, err); failed.Action != test.action || failed.MaybeApplied || failed.Status != receipt.Status {
				t.Errorf("got %+v, want %s", failed, test.action)
			}
			if page != nil || total != 0 {
				t.Errorf("a page of %d and a total of %d with the failure", len(page), total)
			}
			if got := len(server.Requests()); got != 1 {
				t.Errorf("%d requests for one list", got)
			}
		})
	}
}

// What Clerk could only refuse, or read as something else, is not sent.
func TestListNotSent(t *testing.T) {
	t.Parallel()
	server := start(t)
	client := connect(t, server.BaseURL())
	many := make([]string, clerk.MaxListIDs+1)
	for n := range many {
		many[n] = fmt.Sprint("org_", n)
	}
	for name, params := range map[string]clerk.ListParams{
		"too long": {Limit: clerk.MaxListLimit + 1}, "negative": {Limit: -1}, "before the first": {Offset: -1},
		"too many ids": {IDs: many},
		"all but one":  {IDs: []string{"-org_1"}}, "no id": {IDs: []string{""}},
	} {
		if _, _, _, err := client.List(t.Context(), params); failure(t, err).Action != clerk.Park {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got := server.Requests(); len(got) != 0 {
		t.Errorf("requests: %+v", got)
	}
}

func TestListParameters(t *testing.T) {
	t.Parallel()
	asked := make(chan url.Values, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- r.URL.Query()
		_, _ = w.Write([]byte(`{"data":[],"total_count":0}`))
	}))
	t.Cleanup(server.Close)
	client := connect(t, server.URL+"/v1")
	_, _, _, err := client.List(t.Context(), clerk.ListParams{Offset: 500, IDs: []string{"org_a", "org_b"}})
	if err != nil {
		t.Fatal(err)
	}
	want := url.Values{"limit": {"500"}, "offset": {"500"}, "order_by": {"created_at"}, "organization_id": {"org_a", "org_b"}}
	if diff := cmp.Diff(want, <-asked); diff != "" {
		t.Errorf("parameters (-want +got):\n%s", diff)
	}
}

// A page takes longer than one organization, but not for ever.
func TestListTimeout(t *testing.T) {
	t.Parallel()
	server := start(t)
	hasty := connect(t, server.BaseURL(), func(c *clerk.Config) { c.Timeout = 100 * time.Millisecond })
	server.SetFaults(clerktest.Fault{Latency: 150 * time.Millisecond})
	if _, _, _, err := hasty.List(t.Context(), clerk.ListParams{}); err != nil {
		t.Errorf("a slow page: %v", err)
	}
	server.SetFaults(clerktest.Fault{Effect: clerktest.Hang})
	_, _, receipt, err := hasty.List(t.Context(), clerk.ListParams{})
	if failed := failure(t, err); failed.Action != clerk.Outage || !errors.Is(err, context.DeadlineExceeded) ||
		receipt.Duration > 5*time.Second {
		t.Errorf("no answer: %v after %s", err, receipt.Duration)
	}
}
