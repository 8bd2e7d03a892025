package console_test

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/claimsync/claimsync"
	"github.com/claimsync/claimsync/web"
)

var links = regexp.MustCompile(`(href|src|action)="([^"]+)`)

// TestPrefix: in an application that has mounted us below a prefix, everything that the pages link to is below it, and is
// there.
func TestPrefix(t *testing.T) {
	t.Parallel()
	s := newStage(t, mounted)
	s.fill(51) // a second page of each
	s.create("a", "A")
	s.park("park 401", "b")
	seen := s.crawl()
	for _, page := range []string{
		"/organizations/a", "/organizations/b", "/parked", "/parked?reason=park+401", "/parked/redrive?reason=park+401", "/drift",
		"/drift/repair", "/operators", "/operators?before=2", "/organizations/o1?before=2", "/breaker", "/riverui/jobs/",
	} {
		if !seen[below+page] {
			t.Errorf("nothing leads to %s", page)
		}
	}
	s.post("/breaker/open", url.Values{"reason": {"to see other pages"}})
	s.exec("INSERT INTO river.river_queue (name, paused_at, updated_at) VALUES ($1, now(), now())", claimsync.Topic)
	seen = s.crawl()
	for _, page := range []string{"/breaker/close", "/queue/resume"} {
		if !seen[below+page] {
			t.Errorf("nothing leads to %s", page)
		}
	}
	for _, failed := range []struct {
		path string
		form url.Values
	}{
		{"/organizations/none/push", nil}, {"/parked/redrive", url.Values{"reason": {"\x00"}}},
		{"/organizations/none/redrive", url.Values{"from": {"parked"}}}, {"/none", nil},
	} {
		s.linksOf(below+failed.path, s.request("POST", failed.path, failed.form).body)
	}
}

// crawl follows all links from the overview on, and returns where they led.
func (s *stage) crawl() (seen map[string]bool) {
	s.t.Helper()
	seen = map[string]bool{}
	for todo := []string{below + "/"}; len(todo) > 0; todo = todo[1:] {
		path := todo[0]
		if seen[path] {
			continue
		}
		seen[path] = true
		got := s.request("GET", strings.TrimPrefix(path, below), nil)
		if got.status != http.StatusOK && got.status != http.StatusSeeOther {
			s.t.Errorf("GET %s: %d", path, got.status)
		}
		todo = append(todo, s.linksOf(path, got.body)...)
	}
	return seen
}

// linksOf returns where the page leads; all of that has to be below the prefix, and so do its forms.
func (s *stage) linksOf(path, page string) (to []string) {
	s.t.Helper()
	found := links.FindAllStringSubmatch(page, -1)
	if len(found) == 0 && strings.Contains(page, "<main") {
		s.t.Errorf("%s links to nothing:\n%s", path, page)
	}
	for _, link := range found {
		target, _, _ := strings.Cut(html.UnescapeString(link[2]), "#")
		switch {
		case target == "": // a part of the page
		case !strings.HasPrefix(target, below+"/"):
			s.t.Errorf("%s links to %s", path, target)
		case link[1] != "action":
			to = append(to, target)
		}
	}
	return to
}

// TestPrefixElsewhere: what is not below the prefix is the application's.
func TestPrefixElsewhere(t *testing.T) {
	t.Parallel()
	s := newStage(t, mounted)
	s.create("a", "A")
	root := strings.TrimSuffix(s.url, below)
	for path, want := range map[string]int{
		below: 307, below + "/livez": 200, below + "/v1/organizations/a": 200, below + "/riverui/api/queues": 200,
		"/": 404, "/livez": 404, "/v1/organizations/a": 404, "/riverui/api/queues": 404, below + "/none": 404,
	} {
		s.url = root
		if got := s.request("GET", path, nil); got.status != want {
			t.Errorf("GET %s: %d, want %d", path, got.status, want)
		}
	}
}

// TestPrefixActions: what an action says travels below the prefix, and other sites act there as little as elsewhere.
func TestPrefixActions(t *testing.T) {
	t.Parallel()
	s := newStage(t, mounted)
	s.create("a", "A")
	s.has(s.post("/organizations/a/push", nil), "It is marked")
	got := s.request("POST", "/organizations/a/push", nil)
	cookie := got.header.Get("Set-Cookie")
	if got.header.Get("Location") != below+"/organizations/a" || !strings.Contains(cookie, "Path="+below+"/;") {
		t.Errorf("to %s, with %s", got.header.Get("Location"), cookie)
	}
	if reload := s.request("GET", "/organizations/a/push", nil); reload.header.Get("Location") != below+"/organizations/a" {
		t.Errorf("a reload leads to %s", reload.header.Get("Location"))
	}
	if back := s.request("POST", "/organizations/none/push", nil); !strings.Contains(back.body, `href="`+below+`/organizations/none/push">Back<`) {
		t.Errorf("a failure leads back to\n%s", back.body)
	}
	if got := s.request("POST", "/organizations/a/push", nil, "Sec-Fetch-Site", "cross-site"); got.status != http.StatusForbidden {
		t.Errorf("from another site: %d", got.status)
	}
}

// TestPrefixAPI: an organization is where the answer to its creation says.
func TestPrefixAPI(t *testing.T) {
	t.Parallel()
	s := newStage(t, mounted)
	request, err := http.NewRequestWithContext(t.Context(), "POST", s.url+"/v1/organizations", strings.NewReader(`{"id": "a", "name": "A"}`))
	s.must(err)
	request.SetBasicAuth(operator, token)
	created, err := http.DefaultTransport.RoundTrip(request)
	s.must(err)
	defer func() { _ = created.Body.Close() }()
	to, ours := strings.CutPrefix(created.Header.Get("Location"), below)
	if !ours || !strings.Contains(s.get(to), `"name":"A"`) {
		t.Errorf("%d, at %s", created.StatusCode, created.Header.Get("Location"))
	}
}

// TestPrefixWhoPausedTheQueue: what is done in River UI is found in the operator log by the path that it has without us.
func TestPrefixWhoPausedTheQueue(t *testing.T) {
	t.Parallel()
	s := newStage(t, mounted)
	s.work()
	s.until("the queue is known", func() bool { return s.count("SELECT count(*) FROM river.river_queue") == 1 })
	got := s.request("PUT", "/riverui/api/queues/"+claimsync.Topic+"/pause", nil)
	if got.status != http.StatusOK {
		t.Fatalf("pausing: %d %s", got.status, got.body)
	}
	s.has(s.get("/"), "by ada from 127.0.0.1")
}

// TestAuthorize: an application's own authentication counts instead of the token, and names the operator.
func TestAuthorize(t *testing.T) {
	t.Parallel()
	s := newStage(t, mounted, func(config *web.Config) {
		config.AdminToken = ""
		config.Authorize = func(r *http.Request) (string, bool) {
			session, err := r.Cookie("session")
			return "grace", err == nil && session.Value == "of grace"
		}
	})
	for _, path := range []string{"/", "/v1/organizations", "/riverui/"} {
		refused := s.request("GET", path, nil, "Cookie", "session=stolen")
		if refused.status != http.StatusUnauthorized || refused.header.Get("WWW-Authenticate") != "" {
			t.Errorf("GET %s: %d, asking for %q", path, refused.status, refused.header.Get("WWW-Authenticate"))
		}
		if got := s.request("GET", path, nil, "Cookie", "session=of grace"); got.status != http.StatusOK {
			t.Errorf("GET %s: %d", path, got.status)
		}
	}
	reason := url.Values{"reason": {"moving house"}}
	got := s.request("POST", "/breaker/open", reason, "Cookie", "session=of grace", "Sec-Fetch-Site", "cross-site")
	if got.status != http.StatusForbidden {
		t.Errorf("from another site: %d", got.status)
	}
	if got := s.request("POST", "/breaker/open", reason, "Cookie", "session=of grace"); got.status != http.StatusSeeOther {
		t.Errorf("opening the breaker: %d", got.status)
	}
	if opened := s.count("SELECT count(*) FROM operator_action WHERE operator = 'grace'"); opened != 1 {
		t.Errorf("%d lines in the operator log", opened)
	}
}
