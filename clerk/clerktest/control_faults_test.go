package clerktest_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/claimsync/claimsync/clerk/clerktest"
)

// Faults as JSON: set, shown and removed, and refused if there is a mistake in them.
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
		`{"faults":[{"latency":"soon"}]}`, `{"faults":[{"latency":5}]}`, `{"faults":[]} x`, `{}`,
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

func TestControlScript(t *testing.T) {
	t.Parallel()
	e := pushable(t)
	if got := e.do("PUT", "/_control/script", "at 1h for 60s: 503 for 100 %\n# done\nhang once"); got.status != 200 ||
		got.body != "at 1h for 1m: 503\nhang 1 times\n" || !strings.HasPrefix(got.header.Get("Content-Type"), "text/plain") {
		t.Errorf("PUT: %d %s", got.status, got.body)
	}
	if got := e.do("GET", "/_control/script", ""); !strings.HasSuffix(got.body, " for 1m: 503\nhang 1 times\n") {
		t.Errorf("GET: %s", got.body)
	}
	var refused struct{ Error, Example string }
	got := e.do("PUT", "/_control/script", "hang\nhnag")
	if err := json.Unmarshal([]byte(got.body), &refused); err != nil || got.status != http.StatusBadRequest ||
		!strings.HasPrefix(refused.Error, `line 2: "hnag"`) || refused.Example == "" {
		t.Errorf("wrong script: %d %s", got.status, got.body)
	}
	if len(e.Faults()) != 2 {
		t.Errorf("a wrong script has changed the faults: %v", e.Faults())
	}
	e.do("DELETE", "/_control/script", "")
	if len(e.Faults()) != 0 {
		t.Errorf("left: %v", e.Faults())
	}
}

func TestControlTraffic(t *testing.T) {
	t.Parallel()
	e := pushable(t)
	if got := e.do("PUT", "/_control/traffic", `{"requests":1000,"window":"1s"}`); got.status != 200 {
		t.Errorf("PUT: %d %s", got.status, got.body)
	}
	came := func() bool { _, count := e.Traffic(); return count.Admitted > 3 }
	if err := e.WaitFor(shortly(t), came); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Requests int
		Window   string
		Count    clerktest.TrafficCount
	}
	if err := json.Unmarshal([]byte(e.do("GET", "/_control/traffic", "").body), &got); err != nil ||
		got.Requests != 1000 || got.Window != "1s" || got.Count.Admitted < 4 {
		t.Errorf("GET: %+v, %v", got, err)
	}
	for _, bad := range []string{`{}`, `{"requests":-1}`, `{"requests":5,"window":"soon"}`, `{"rate":5}`} {
		if got := e.do("PUT", "/_control/traffic", bad); got.status != http.StatusBadRequest {
			t.Errorf("%s: %d %s", bad, got.status, got.body)
		}
	}
	if got := e.do("PUT", "/_control/traffic", `{"requests":0}`); got.status != 200 {
		t.Errorf("end: %d %s", got.status, got.body)
	}
	if left, _ := e.Traffic(); left.Requests != 0 {
		t.Errorf("left: %v", left)
	}
}
