package console_test

import (
	"strings"
	"testing"

	"github.com/claimsync/claimsync/db"
	"github.com/claimsync/claimsync/db/dbtest"
	"github.com/claimsync/claimsync/db/dbtest/pgproxy"
	"github.com/claimsync/claimsync/web/console"
)

func TestConfig(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	for field, config := range map[string]console.Config{"Sync": {River: s.river}, "River": {Sync: s.sync}} {
		if _, err := console.New(config); err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("without %s: %v", field, err)
		}
	}
}

// TestHeaders: pages run nothing but ours, are kept by nobody, and tell nobody where one was.
func TestHeaders(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	for _, path := range []string{"/", "/organizations/none", "/parked"} {
		header := s.request("GET", path, nil).header
		for name, want := range map[string]string{
			"Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; " +
				"form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
			"Cross-Origin-Opener-Policy": "same-origin", "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff",
			"Cache-Control": "no-store", "Content-Type": "text/html; charset=utf-8",
		} {
			if got := header.Get(name); got != want {
				t.Errorf("GET %s: %s is %q, want %q", path, name, got, want)
			}
		}
		if header.Get("Permissions-Policy") == "" {
			t.Errorf("GET %s has no Permissions-Policy", path)
		}
	}
	ui := s.request("GET", "/riverui/", nil).header
	if ui.Get("Cross-Origin-Opener-Policy") != "same-origin" || !strings.Contains(ui.Get("Content-Security-Policy"), "'unsafe-inline'") {
		t.Errorf("River UI: %v", ui)
	}
}

// TestAssets: they are kept by browsers, under a name that changes with them, and nothing in a page is inline.
func TestAssets(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	page := s.get("/")
	for _, inline := range []string{" style=", "<style", "javascript:", " onclick="} {
		if strings.Contains(page, inline) {
			t.Errorf("the page has %q", inline)
		}
	}
	for kind, extension := range map[string]string{"text/css": ".css", "text/javascript": ".js", "image/svg+xml": ".svg"} {
		before, _, found := strings.Cut(page, extension+`"`)
		path := before[strings.LastIndex(before, `"`)+1:] + extension
		got := s.request("GET", path, nil)
		if !found || got.status != 200 || !strings.HasPrefix(got.header.Get("Content-Type"), kind) ||
			!strings.Contains(got.header.Get("Cache-Control"), "immutable") {
			t.Errorf("GET %s: %d %v", path, got.status, got.header)
		}
	}
	if got := s.request("GET", "/console/assets/console.css", nil); got.status != 404 {
		t.Errorf("an asset without its hash: %d", got.status)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	for _, test := range []struct {
		method, path string
		status       int
		says         string
	}{
		{"GET", "/organizations/none", 404, "There is no such organization"},
		{"GET", "/organizations/%00", 404, "There is no such organization"},
		{"GET", "/organizations/org_none", 404, "There is no such organization"},
		{"GET", "/parked/none", 404, "There is no such page"},
		{"GET", "/drift/check", 303, ""},
		{"GET", "/breaker/open", 303, ""},
		{"POST", "/organizations", 404, "There is no such page"},
		{"POST", "/organizations/none/push", 404, "There is no such organization"},
		{"POST", "/organizations/none/explode", 404, "There is no such page"},
	} {
		got := s.request(test.method, test.path, nil)
		if got.status != test.status || !strings.Contains(got.body, test.says) {
			t.Errorf("%s %s: %d %s", test.method, test.path, got.status, got.body)
		}
	}
	got := s.request("POST", "/breaker/open", map[string][]string{"reason": {strings.Repeat("x", 1<<20)}})
	if got.status != 400 {
		t.Errorf("a megabyte of reason: %d", got.status)
	}
}

// TestDatabaseAway: the page says so, and what to do.
func TestDatabaseAway(t *testing.T) {
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
	proxy.Refuse(true)
	proxy.Sever()
	for _, path := range []string{"/", "/organizations", "/organizations/a", "/parked", "/drift", "/operators", "/breaker"} {
		got := s.request("GET", path, nil)
		s.has(got.body, "The database does not answer", "Try again")
		if got.status != 503 || got.header.Get("Retry-After") == "" {
			t.Errorf("GET %s: %d", path, got.status)
		}
	}
}

// TestNoSecrets: neither token nor key is in a page, or in the log.
func TestNoSecrets(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.create("a", "A")
	for _, path := range []string{"/", "/organizations", "/organizations/a", "/parked", "/drift", "/operators", "/breaker", "/organizations/none"} {
		page := s.request("GET", path, nil)
		for _, secret := range []string{token, "sk_test_", "postgres://"} {
			if strings.Contains(page.body, secret) {
				t.Errorf("GET %s has %s", path, secret)
			}
		}
	}
	s.post("/organizations/a/push", nil)
	if strings.Contains(s.log.String(), token) {
		t.Error("the token is in the log")
	}
}
