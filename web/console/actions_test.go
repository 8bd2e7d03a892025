package console_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/claimsync/claimsync"
	"github.com/claimsync/claimsync/clerk/clerktest"
	"github.com/claimsync/claimsync/web"
)

// logged is the operator log, oldest first, as "who from: action target: result".
func (s *stage) logged() (lines []string) {
	s.t.Helper()
	actions, err := s.sync.OperatorLog(s.t.Context(), 0, 100)
	s.must(err)
	for i := range actions {
		a := actions[len(actions)-1-i]
		lines = append(lines, a.Operator.Name+" "+a.Operator.Origin+": "+a.Action+" "+a.Target+": "+a.Result)
	}
	return lines
}

func (s *stage) checkLog(want ...string) {
	s.t.Helper()
	for i := range want {
		want[i] = operator + " 127.0.0.1: " + want[i]
	}
	if d := cmp.Diff(want, s.logged()); d != "" {
		s.t.Errorf("the operator log (-want +got):\n%s", d)
	}
}

var yes = url.Values{"confirm": {"yes"}}

func TestOrganizationActions(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.create("a", "A")
	version := func() int { return s.count("SELECT desired_version FROM outbox WHERE key = 'org_a'") }
	before := version()
	s.has(s.post("/organizations/a/push", nil), "It is marked: a worker pushes it within moments.")
	if version() != before+1 {
		t.Error("it was not marked")
	}
	s.has(s.post("/organizations/org_a/push", nil), "It is marked") // by Clerk's id as well
	s.has(s.post("/organizations/a/recalculate", nil), "its claims are as they were")
	s.exec("UPDATE insurance_policies SET expiry_date = now() - interval '1 day'")
	s.has(s.post("/organizations/a/recalculate", nil), "its claims have changed")
	s.has(s.post("/organizations/a/redrive", nil), "Nothing of that was parked any more.")
	s.park("park 422", "b")
	s.has(s.post("/organizations/b/redrive", nil), "One organization is on its way again.", "Organization b dirty")
	s.checkLog("push a: marked", "push org_a: marked", "recalculate a: its claims are as they were", "recalculate a: its claims changed",
		"redrive a: was not parked", "redrive b: redriven")
	if got := s.request("POST", "/organizations/nobody/push", nil); got.status != 404 {
		t.Errorf("pushing what is not there: %d", got.status)
	}
	s.exec("INSERT INTO organizations (id, name) VALUES ('alone', 'Alone')")
	if got := s.request("POST", "/organizations/alone/push", nil); got.status != 409 {
		t.Errorf("pushing what is not linked: %d", got.status)
	}
	if lines := s.logged(); !strings.Contains(lines[len(lines)-1], "push alone: failed: is not linked to Clerk") {
		t.Errorf("a failure is not in the log: %v", lines)
	}
}

// TestCompare: Clerk is asked on a click only, and its not answering is told beside what is known.
func TestCompare(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.create("a", "A")
	s.work()
	s.until("it is pushed", func() bool { return s.count("SELECT count(*) FROM outbox WHERE dirty_since IS NULL") == 1 })
	calls := len(s.clerk.Requests())
	s.get("/organizations/a")
	if len(s.clerk.Requests()) != calls {
		t.Error("Clerk is asked by looking at a page")
	}
	same := s.request("POST", "/organizations/a/compare", nil)
	s.has(same.body, "They are the same. Clerk was asked at", `certification_tier "CERTIFIED" "CERTIFIED" "CERTIFIED" same`)
	s.clerk.EditMetadata("org_a", []byte(`{"certification_tier": "MASTER_ROOFER"}`), nil)
	s.has(s.request("POST", "/organizations/a/compare", nil).body, "They differ.", `"CERTIFIED" "CERTIFIED" "MASTER_ROOFER" differs`,
		"compliance_score")
	s.clerk.RemoveOrganization("org_a")
	s.has(s.request("POST", "/organizations/a/compare", nil).body, "Clerk does not have this organization.")
	s.clerk.SetFaults(clerktest.Fault{Effect: clerktest.Answer, Status: 503})
	s.has(s.request("POST", "/organizations/a/compare", nil).body, "Clerk could not be asked:", "1 synced of 1")
	lines := s.logged()
	if !strings.HasPrefix(lines[3], "ada 127.0.0.1: compare a: failed: reading org_a at Clerk") {
		t.Errorf("the log has %q", lines[3])
	}
	s.checkLog("compare a: in step", "compare a: 3 keys differ", "compare a: Clerk does not have it", strings.TrimPrefix(lines[3], "ada 127.0.0.1: "))
	if got := s.request("GET", "/organizations/a/compare", nil); got.status != 303 || got.header.Get("Location") != "/organizations/a" {
		t.Errorf("a reload leads to %d %s", got.status, got.header.Get("Location"))
	}
}

// TestRedriveAsks: what fans out says how far, and does nothing until that is confirmed.
func TestRedriveAsks(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.park("park 422", "a", "b")
	s.park("unknown there", "c")
	parked := func() int { return s.count("SELECT count(*) FROM outbox WHERE parked_at IS NOT NULL") }
	s.has(s.get("/parked"), "park 422 2", "unknown there 1", "Organization c", "Redrive all 3…")
	s.has(s.get("/parked?reason=unknown+there"), "Parked for “unknown there”", "Organization c")
	if strings.Contains(s.get("/parked?reason=unknown+there"), "Organization a") {
		t.Error("a group has another's organizations")
	}
	group := url.Values{"reason": {"park 422"}}
	s.has(s.get("/parked/redrive?"+group.Encode()), "Redrive what is parked for “park 422”: 2 organizations?")
	if got := s.request("POST", "/parked/redrive", group); got.status != 200 || parked() != 3 {
		t.Fatalf("unconfirmed: %d, %d are parked", got.status, parked())
	}
	s.checkLog()
	stale := s.answers(s.get("/parked/redrive"))
	s.has(s.confirm("/parked/redrive", "?"+group.Encode()), "2 organizations are on their way again.")
	if parked() != 1 {
		t.Errorf("%d are parked, want the other group's", parked())
	}
	s.has(s.confirm("/parked/redrive"), "One organization is on its way again.", "Nothing was given up on.")
	s.has(s.post("/parked/redrive", stale), "Nothing of that was parked any more.")
	s.has(s.get("/parked/redrive"), "Nothing is parked for that any more.")
	s.checkLog("redrive_all park 422: 2 organizations redriven", "redrive_all : 1 organization redriven", "redrive_all : 0 organizations redriven")
}

// TestRedriveIsBounded: when the time is up, what is done is done, and the page says that there is more.
func TestRedriveIsBounded(t *testing.T) {
	t.Parallel()
	s := newStage(t, func(config *web.Config) { config.FanOutTimeout = 2 * time.Second })
	s.exec(`INSERT INTO outbox (topic, key, dirty_since, parked_at, parked_reason)
		SELECT 'clerk_organization', 'org_'||i, now(), now() - interval '1 h' + i * interval '1 s', 'park 422' FROM generate_series(1, 400) AS i`)
	held, err := s.pool.Begin(t.Context())
	s.must(err)
	defer func() { _ = held.Rollback(t.Context()) }()
	_, err = held.Exec(t.Context(), "SELECT FROM outbox WHERE key = 'org_300' FOR UPDATE") // in the second batch
	s.must(err)
	s.has(s.confirm("/parked/redrive"), "The time was up after 200 organizations. Redrive the others too.")
	if lines := s.logged(); !strings.Contains(lines[0], "redrive_all : failed after: 200 organizations redriven: ") {
		t.Errorf("the log has %q", lines[0])
	}
}

func TestBreakerByHand(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	if got := s.request("POST", "/breaker/open", url.Values{"reason": {" \x00 "}}); got.status != 200 || !strings.Contains(got.body, "Say why") {
		t.Errorf("without a reason: %d %s", got.status, got.body)
	}
	reason := url.Values{"reason": {"  Clerk is\nmoving "}}
	s.has(s.post("/breaker/open", reason), "The breaker is open: nothing is pushed until it is closed.", "ada (127.0.0.1) opened it (Clerk is moving)",
		"(operator), by ada from 127.0.0.1")
	s.has(s.post("/breaker/open", reason), "A person had opened the breaker already.")
	s.has(s.confirm("/breaker/close"), "The breaker is closed.", "Breaker closed")
	s.has(s.post("/breaker/close", nil), "The breaker was closed already, and Clerk asked for no wait.")
	s.checkLog("breaker_open Clerk is moving: opened", "breaker_open Clerk is moving: a person had opened it already",
		"breaker_close : closed; it was open for 0 s")
}

// TestDriftByHand: a check and a repair are asked for, made by the process that works, and reported.
func TestDriftByHand(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.create("a", "A")
	s.has(s.post("/drift/check", nil), "A check was asked for: some process begins within seconds.", "A check was asked for at")
	s.has(s.post("/drift/check", nil), "A check was asked for already, or is under way.")
	s.work()
	report := func() *claimsync.DriftReport {
		last, err := s.sync.LastDriftCheck(t.Context())
		s.must(err)
		if last.RequestedAt != nil {
			return nil
		}
		return last.Report
	}
	s.until("the check is made", func() bool { return report() != nil })
	s.until("it is pushed", func() bool { return s.count("SELECT count(*) FROM outbox WHERE dirty_since IS NULL") == 1 })
	s.clerk.EditMetadata("org_a", []byte(`{"certification_tier": "MASTER_ROOFER"}`), nil)
	s.has(s.get("/drift/repair"), "Check for drift, and push over what differs?", "The last check found 0 organizations that differed.")
	s.request("POST", "/drift/repair", nil) // only asks
	s.post("/drift/repair", yes)
	s.until("it is repaired", func() bool { r := report(); return r != nil && r.Repaired == 1 })
	s.has(s.get("/drift"), "One was handed over", `certification_tier: "MASTER_ROOFER" for "CERTIFIED"`, "handed over")
	s.checkLog("drift_check : asked for", "drift_check : one was asked for already, or is under way", "drift_repair : asked for")
}

// TestOtherSitesChangeNothing: a browser adds the password to what a page of another site has it send.
func TestOtherSitesChangeNothing(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.park("park 422", "a")
	before := s.contents()
	for _, path := range []string{
		"/organizations/a/push", "/organizations/a/recalculate", "/organizations/a/redrive", "/organizations/a/compare", "/parked/redrive",
		"/drift/check", "/drift/repair", "/breaker/open", "/breaker/close", "/queue/resume", "/riverui/api/queues/default/pause",
	} {
		form := url.Values{"confirm": {"yes"}, "reason": {"evil"}}
		for _, headers := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "https://evil.example"}} {
			if got := s.request("POST", path, form, headers...); got.status != 403 {
				t.Errorf("POST %s with %v: %d", path, headers, got.status)
			}
		}
		if got := s.request("POST", path, form, "Authorization", ""); got.status != 401 {
			t.Errorf("POST %s without the token: %d", path, got.status)
		}
	}
	if d := cmp.Diff(before, s.contents()); d != "" {
		t.Errorf("the database changed:\n%s", d)
	}
	if len(s.clerk.Requests()) > 0 {
		t.Error("Clerk was called")
	}
}

// contents is everything that an action could change.
func (s *stage) contents() (all []string) {
	s.t.Helper()
	for _, table := range []string{"organizations", "outbox", "destination", "operator_action", "drift_check", "river.river_job", "river.river_queue"} {
		rows, err := s.pool.Query(s.t.Context(), "SELECT t::text FROM "+table+" AS t ORDER BY 1")
		s.must(err)
		lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
		s.must(err)
		all = append(append(all, table), lines...)
	}
	return all
}

// TestNoticeIsNobodysToChoose: what a page says of an action is one of our sentences.
func TestNoticeIsNobodysToChoose(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	for _, value := range []string{"Evil.1", "redriven.<b>", "redriven", "redriven.-1", "redriven.99999999999999999999", ".", "nothing.1"} {
		got := s.request("GET", "/", nil, "Cookie", "claimsync_notice="+value)
		if got.status != 200 || strings.Contains(got.body, `class="said"`) {
			t.Errorf("the notice %q is shown", value)
		}
	}
	got := s.request("GET", "/", nil, "Cookie", "claimsync_notice=redriven.1200")
	s.has(got.body, "1,200 organizations are on their way again.")
	if cookie := got.header.Get("Set-Cookie"); !strings.Contains(cookie, "Max-Age=0") {
		t.Errorf("the notice stays: %q", cookie)
	}
	set := s.request("POST", "/breaker/close", nil).header.Get("Set-Cookie")
	for _, attribute := range []string{"HttpOnly", "SameSite=Strict", "Path=/"} {
		if !strings.Contains(set, attribute) {
			t.Errorf("the cookie %q lacks %s", set, attribute)
		}
	}
}

func TestUnloggedIsUndone(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.create("a", "A")
	s.exec("ALTER TABLE operator_action RENAME TO mislaid")
	before := s.count("SELECT desired_version FROM outbox")
	for _, path := range []string{"/organizations/a/push", "/drift/check", "/riverui/api/jobs/cancel"} {
		if got := s.request(http.MethodPost, path, nil); got.status != 500 || strings.Contains(got.body, "operator_action") {
			t.Errorf("POST %s: %d %s", path, got.status, got.body)
		}
	}
	if after := s.count("SELECT desired_version FROM outbox"); after != before {
		t.Error("it was done without a trace")
	}
}
