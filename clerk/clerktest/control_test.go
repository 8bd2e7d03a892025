package clerktest_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/claimsync/claimsync/clerk/clerktest"
)

// An outage, rehearsed as the package comment says.
func TestControlFaults(t *testing.T) {
	t.Parallel()
	e := pushable(t)
	anonymous := func(r *http.Request) { r.Header = http.Header{} }
	const faults = `{"faults":[{"effect":"late","organization":"org_1","method":"PATCH","count":2,"delay":"3s"},` +
		`{"probability":0.5,"latency":"1.5s"},{"effect":"answer","status":429,"body":"x","retry_after":"7s"}]}`

	if got := e.do("PUT", "/_control/faults", faults, anonymous); got.status != http.StatusOK || got.body != faults+"\n" {
		t.Errorf("PUT: %d %s", got.status, got.body)
	}
	if got := e.do("GET", "/_control/faults", "", anonymous); got.body != faults+"\n" {
		t.Errorf("GET: %s", got.body)
	}
	if got := e.do("DELETE", "/_control/faults", "", anonymous); got.status != http.StatusNoContent || len(e.Faults()) != 0 {
		t.Errorf("DELETE: %d, left %v", got.status, e.Faults())
	}
	for _, bad := range []string{
		``, `[]`, `{"fault":[]}`, `{"faults":[{"effect":"explode"}]}`, `{"faults":[{"effects":"hang"}]}`,
		`{"faults":[{"latency":"soon"}]}`, `{"faults":[{"latency":5}]}`,
	} {
		if got := e.do("PUT", "/_control/faults", bad, anonymous); got.status != http.StatusBadRequest {
			t.Errorf("PUT %s: %d %s", bad, got.status, got.body)
		}
	}
	if got := e.do("POST", "/_control/other", "", anonymous); got.status != http.StatusNotFound {
		t.Errorf("unknown: %d", got.status)
	}
	if len(e.Requests()) != 0 {
		t.Errorf("in the history: %v", e.Requests())
	}
}

func TestControlWrites(t *testing.T) {
	t.Parallel()
	e := pushable(t)
	for _, organization := range []string{"org_1", "org_2", "org_1"} {
		if _, err := e.push(t.Context(), organization); err != nil {
			t.Fatal(err)
		}
	}
	for query, want := range map[string][]int64{
		"": {1, 2, 3}, "?organization=org_1": {1, 3}, "?after=2": {3}, "?organization=org_1&after=1": {3}, "?after=3": {},
	} {
		var got struct{ Writes []clerktest.Write }
		if err := json.Unmarshal([]byte(e.do("GET", "/_control/writes"+query, "").body), &got); err != nil {
			t.Fatal(err)
		}
		seqs := []int64{}
		for _, w := range got.Writes {
			seqs = append(seqs, w.Seq)
		}
		if diff := cmp.Diff(want, seqs); diff != "" {
			t.Errorf("%s: %s", query, diff)
		}
	}
	if got := e.do("GET", "/_control/writes?after=x", ""); got.status != http.StatusBadRequest {
		t.Errorf("after=x: %d", got.status)
	}
}
