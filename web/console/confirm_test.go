package console_test

import (
	"html"
	"net/url"
	"strings"
	"testing"

	"github.com/claimsync/claimsync"
	"github.com/claimsync/claimsync/db"
	"github.com/claimsync/claimsync/db/dbtest"
	"github.com/claimsync/claimsync/db/dbtest/pgproxy"
)

// asksAgain checks that a POST was answered by a question.
func (s *stage) asksAgain(path string, form url.Values, asked string) {
	s.t.Helper()
	got := s.request("POST", path, form)
	if got.status != 200 || !strings.Contains(textOf(got.body), asked) {
		s.t.Errorf("POST %s %v: %d, want it to ask %q:\n%s", path, form, got.status, asked, textOf(got.body))
	}
}

// TestCloseAsks: what is closed is what was shown, for whoever opened it and why.
func TestCloseAsks(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.create("a", "A")
	s.has(s.get("/breaker/close"), "The breaker is closed already")
	s.exec(`INSERT INTO destination (topic, opened_at, open_cause, open_reason, probe_at, blocked_until, blocked_reason)
		VALUES ($1, now(), 'outage', '503 <b>', now() + interval '1 hour', '2100-01-01 00:00:00+00', 'slow down')`,
		claimsync.Topic)
	question := s.get("/breaker/close")
	s.has(question, "Close the breaker?", "Clerk fails or does not answer (503 <b>)",
		"1 organization waits to be pushed.", "It ends the wait until 2100-01-01 00:00:00 UTC that Clerk asked for")
	s.asksAgain("/breaker/close", nil, "Close the breaker?")
	s.asksAgain("/breaker/close", yes, "Close the breaker?")

	s.post("/breaker/open", url.Values{"reason": {"moving house"}}) // by another person, meanwhile
	s.asksAgain("/breaker/close", s.answers(question), "moving house")
	s.has(s.get("/breaker/close"), "ada (127.0.0.1) opened it (moving house)")
	if s.count("SELECT count(*) FROM destination WHERE opened_at IS NOT NULL AND blocked_until IS NOT NULL") != 1 {
		t.Fatal("it was closed, or unblocked, without an answer")
	}
	s.has(s.confirm("/breaker/close"), "The breaker is closed.")

	s.exec("UPDATE destination SET blocked_until = '2100-01-01 00:00:00+00', blocked_reason = 'slow down'")
	s.has(s.get("/breaker/close"), "End the wait that Clerk asked for?")
	s.has(s.confirm("/breaker/close"), "The wait that Clerk asked for is ended.")
	if s.count("SELECT count(*) FROM destination WHERE blocked_until > now()") != 0 {
		t.Error("the wait is not ended")
	}
}

// TestResumeAsks: only the pause that was shown is ended, and never the breaker's.
func TestResumeAsks(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	paused := func() int { return s.count("SELECT count(*) FROM river.river_queue WHERE paused_at IS NOT NULL") }
	const not = "It is not paused by hand any more."
	s.has(s.post("/queue/resume", yes), not) // there is no such queue yet
	s.has(s.get("/queue/resume"), not)
	s.exec(`INSERT INTO river.river_queue (name, metadata, created_at, updated_at, paused_at)
		VALUES ($1, '{}', now(), now(), now() - interval '1 hour')`, claimsync.Topic)
	question := s.get("/queue/resume")
	s.has(question, "Resume the queue?", "(60 min ago), by a person, by means that keep no log.",
		"No organization waits to be pushed.")
	s.asksAgain("/queue/resume", nil, "Resume the queue?")
	s.asksAgain("/queue/resume", url.Values{"confirm": {"yes"}, "paused_at": {"yesterday"}}, "Resume the queue?")
	s.exec("UPDATE river.river_queue SET paused_at = now() - interval '1 minute'") // again, by another
	s.asksAgain("/queue/resume", s.answers(question), "Resume the queue?")
	question = s.get("/queue/resume")
	if paused() != 1 {
		t.Fatal("it was resumed without an answer")
	}
	s.has(s.post("/queue/resume", s.answers(question)), "The queue is resumed.")
	if paused() != 0 {
		t.Error("it was not resumed")
	}
	if _, err := s.sync.Outbox().Open(t.Context(), s.pool, s.waker, claimsync.Topic, "moving house"); err != nil {
		t.Fatal(err)
	}
	s.has(s.post("/queue/resume", s.answers(question)), not)
	if paused() != 1 {
		t.Error("the breaker's pause was ended")
	}
	s.checkLog("queue_resume clerk_organization: done")
}

// TestRedriveIsBound: the answer names the time up to which was asked; one without it is asked again.
func TestRedriveIsBound(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.park("park 422", "a")
	s.park("park 400", "b")
	s.exec("UPDATE outbox SET parked_at = '2026-01-02 03:04:05.678901+00' WHERE key = 'org_a'")
	if got := s.answers(s.get("/parked/redrive?reason=park+422")).Get("until"); got != "2026-01-02T03:04:05.678901Z" {
		t.Errorf("the question is about what is parked until %q", got)
	}
	for _, form := range []url.Values{yes, {"confirm": {"yes"}, "until": {"now"}}} {
		s.asksAgain("/parked/redrive", form, "Redrive all that is parked: 2 organizations?")
	}
	if s.count("SELECT count(*) FROM outbox WHERE parked_at IS NOT NULL") != 2 {
		t.Error("it was redriven without an answer")
	}
}

// TestFailedActionsLeadBack: to what was asked about, which is no more than that.
func TestFailedActionsLeadBack(t *testing.T) {
	t.Parallel()
	proxy, err := pgproxy.Start(dbtest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = proxy.Close() })
	pool, err := db.Open(t.Context(), proxy.URL())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	s := newStageOn(t, pool)
	s.exec("INSERT INTO organizations (id, name) VALUES ('alone', 'Alone')")
	refused := s.request("POST", "/organizations/alone/push", nil)
	s.has(refused.body, "It is not linked to Clerk", "It was not done.", "Back")
	proxy.Refuse(true)
	proxy.Sever()
	for _, test := range []struct {
		path string
		form url.Values
		back string
	}{
		{
			"/parked/redrive", url.Values{"reason": {"park 422: a & b"}, "confirm": {"yes"}},
			"/parked/redrive?reason=park+422%3A+a+%26+b",
		},
		{"/parked/redrive", yes, "/parked/redrive"},
		{"/breaker/open", url.Values{"reason": {"moving  house"}}, "/breaker?reason=moving+house"},
		{"/breaker/close", yes, "/breaker/close"},
		{"/organizations/a/redrive", url.Values{"from": {"parked"}}, "/parked"},
		{"/organizations/a/push", nil, "/organizations/a/push"},
		{"/organizations/a/compare", nil, "/organizations/a/compare"},
	} {
		got := s.request("POST", test.path, test.form)
		s.has(got.body, "The database does not answer", "It was not done, or not to its end")
		body := html.UnescapeString(got.body)
		if !strings.Contains(body, `href="`+test.back+`">Back<`) || strings.Contains(body, "Try again") {
			t.Errorf("POST %s %v does not lead back to %s:\n%s", test.path, test.form, test.back, body)
		}
	}
	proxy.Refuse(false)
	s.until("the database is back", func() bool { return s.request("GET", "/breaker", nil).status == 200 })
	if page := s.get("/breaker?reason=moving+house"); !strings.Contains(page, `value="moving house"`) {
		t.Error("the reason is lost")
	}
}

// TestNoticeIsForWhoeverGoesThere: what another tab gets in the background leaves it.
func TestNoticeIsForWhoeverGoesThere(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	for _, test := range []struct {
		header, value string
		taken         bool
	}{
		{"Claimsync-Refresh", "1", false},
		{"Sec-Fetch-Mode", "cors", false},
		{"Sec-Fetch-Mode", "navigate", true},
		{"Accept", "text/html", true},
	} {
		got := s.request("GET", "/parked", nil, "Cookie", "claimsync_notice=closed.0", test.header, test.value)
		shown, removed := strings.Contains(got.body, "The breaker is closed."), got.header.Get("Set-Cookie") != ""
		if shown != test.taken || removed != test.taken {
			t.Errorf("%s: %s: shown is %t, removed %t", test.header, test.value, shown, removed)
		}
	}
}
