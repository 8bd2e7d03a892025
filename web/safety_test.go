package web_test

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/claimsync/claimsync/db/dbtest"
	"github.com/claimsync/claimsync/internal/logtest"
	"github.com/claimsync/claimsync/web"
)

// Whatever is answered, and by whom, tells a browser what it must not do with it.
func TestHeaders(t *testing.T) {
	t.Parallel()
	pool := dbtest.New(t)
	a := newRiverUI(t, pool, withWebhook(t, pool, nobodyThere), func(config *web.Config) {
		config.Metrics = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.RawQuery != "" {
				panic("broken")
			}
		})
	})
	const long = 1<<20 + 1
	for _, test := range []struct {
		method, path, body string
		authorization      string
		status             int
	}{
		{"GET", "/v1/organizations", "", "Bearer " + token, 200},
		{"GET", "/v1/organizations", "", "", 401},
		{"GET", "/v1/organizations/none", "", "Bearer " + token, 404},
		{"POST", "/v1/organizations", strings.Repeat(" ", long), "Bearer " + token, 413},
		{"GET", "/nothing", "", "", 404},
		{"PUT", "/v1/organizations", "", "", 405},
		{"GET", "//v1/organizations", "", "", 307}, // as ServeMux has it
		{"GET", "/livez", "", "", 200},
		{"GET", "/readyz", "", "", 200},
		{"GET", "/metrics", "", "", 200},
		{"GET", "/metrics?panic", "", "", 500},
		{"POST", hookPath, "{}", "", 401},
		{"GET", "/", "", basic("", token), 200},
		{"GET", "/riverui/", "", "", 401},
		{"GET", "/riverui/", "", basic("", token), 200},
		{"GET", "/riverui/api/jobs/1", "", basic("", token), 404},
		{"POST", "/riverui/api/jobs/cancel", strings.Repeat(" ", long), basic("", token), 413},
	} {
		got := a.do(test.method, test.path, test.body, "Authorization", test.authorization)
		if got.status != test.status {
			t.Errorf("%s %s: %d, want %d", test.method, test.path, got.status, test.status)
		}
		for name, want := range map[string]string{
			"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
			"Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY",
		} {
			if has := got.header.Values(name); len(has) != 1 || has[0] != want {
				t.Errorf("%s %s: %s is %q, want %q", test.method, test.path, name, has, want)
			}
		}
		checkPolicy(t, test.method+" "+test.path, got.header.Values("Content-Security-Policy"))
		if cached := got.header.Get("Cache-Control"); !strings.Contains(cached, "no-store") {
			t.Errorf("%s %s: Cache-Control %q", test.method, test.path, cached)
		}
	}
}

// checkPolicy: no page may frame ours, and scripts come from here at most, as files.
func checkPolicy(t *testing.T, request string, policies []string) {
	t.Helper()
	if len(policies) != 1 {
		t.Errorf("%s: policies %q", request, policies)
		return
	}
	directives := map[string]string{}
	for directive := range strings.SplitSeq(policies[0], ";") {
		name, sources, _ := strings.Cut(strings.TrimSpace(directive), " ")
		directives[name] = sources
	}
	for name, allowed := range map[string]string{
		"frame-ancestors": "'none'", "base-uri": "'none'", "form-action": "'none' 'self'", "default-src": "'none' 'self'",
	} {
		if sources := directives[name]; sources == "" || !strings.Contains(allowed, sources) {
			t.Errorf("%s: %s is %q", request, name, sources)
		}
	}
	if sources, set := directives["script-src"]; set && sources != "'self'" || strings.Contains(policies[0], "unsafe-eval") {
		t.Errorf("%s: scripts from elsewhere: %s", request, policies[0])
	}
}

// The token counts in its header only: what is in a URL ends up in histories and other people's logs.
func TestTokenElsewhere(t *testing.T) {
	t.Parallel()
	var log logtest.Journal
	a := newRiverUI(t, dbtest.New(t), func(config *web.Config) { config.Logger = loggerTo(&log) })
	without := []string{"Authorization", ""}
	for _, name := range []string{"token", "access_token", "admin_token", "ADMIN_TOKEN", "key", "password"} {
		query := "?" + url.Values{name: {token}}.Encode()
		for _, path := range []string{"/v1/organizations", "/riverui/"} {
			if got := a.do("GET", path+query, "", without...); got.status != 401 {
				t.Errorf("GET %s%s: %d", path, query, got.status)
			}
		}
		form := append(without, "Content-Type", "application/x-www-form-urlencoded")
		if got := a.do("POST", "/v1/organizations", name+"="+token, form...); got.status != 401 {
			t.Errorf("a form with %s: %d", name, got.status)
		}
		if got := a.do("GET", "/v1/organizations", "", append(without, "Cookie", name+"="+token, "X-Api-Key", token)...); got.status != 401 {
			t.Errorf("a cookie %s: %d", name, got.status)
		}
	}
	if text := log.String(); strings.Contains(text, token) || !strings.Contains(text, "status=401") {
		t.Errorf("logged:\n%s", text)
	}
}

// What River UI can do to jobs, a page of another site cannot have a browser do that knows the password.
func TestOtherSitesDoNothingInRiverUI(t *testing.T) {
	t.Parallel()
	a := newRiverUI(t, dbtest.New(t))
	a.must(201, "POST", "/v1/organizations", `{"name": "O", "clerk_org_id": "org_1"}`)
	before := a.contents()
	as := basic("", token)
	for _, request := range [][3]string{
		{"POST", "/riverui/api/jobs/cancel", `{"ids": ["1"]}`},
		{"POST", "/riverui/api/jobs/retry", `{"ids": ["1"]}`},
		{"POST", "/riverui/api/jobs/delete", `{"ids": ["1"]}`},
		{"PUT", "/riverui/api/queues/clerk_organization/pause", ""},
		{"PUT", "/riverui/api/queues/clerk_organization/resume", ""},
		{"PATCH", "/riverui/api/queues/clerk_organization", `{}`},
	} {
		for _, from := range [][]string{
			{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "https://evil.example"}, {"Origin", "null"},
		} {
			got := a.do(request[0], request[1], request[2], append(from, "Authorization", as, "Content-Type", "text/plain")...)
			checkProblem(t, got, 403, "")
		}
	}
	diff(t, "the database", before, a.contents())
	own := []string{"Authorization", as, "Sec-Fetch-Site", "same-origin"}
	if got := a.do("POST", "/riverui/api/jobs/cancel", `{"ids": ["1"]}`, own...); got.status != 200 {
		t.Fatalf("River UI's own request: %d %s", got.status, got.body)
	}
	if !strings.Contains(a.contents(), "cancelled") {
		t.Error("River UI's own request did nothing")
	}
}

// River UI reads no more than the API does, also of a body whose length is not announced.
func TestRiverUIBodies(t *testing.T) {
	t.Parallel()
	a := newRiverUI(t, dbtest.New(t))
	for length, status := range map[int]int{1 << 10: 400, 1<<20 + 1: 413} {
		unannounced := struct{ io.Reader }{strings.NewReader(strings.Repeat(" ", length))}
		request, err := http.NewRequestWithContext(t.Context(), "POST", a.url+"/riverui/api/jobs/cancel", unannounced)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Authorization", "Bearer "+token)
		response, err := a.http.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if response.StatusCode != status {
			t.Errorf("%d bytes: %d, want %d", length, response.StatusCode, status)
		}
	}
}

// Nor does it query for longer.
func TestRiverUITimeout(t *testing.T) {
	t.Parallel()
	a := newRiverUI(t, dbtest.New(t), func(config *web.Config) { config.RequestTimeout = 20 * time.Millisecond })
	held, err := a.pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = held.Rollback(t.Context()) }()
	if _, err := held.Exec(t.Context(), "LOCK TABLE river.river_job"); err != nil {
		t.Fatal(err)
	}
	a.http.Timeout = 10 * time.Second
	if got := a.do("GET", "/riverui/api/jobs", ""); got.status < 500 {
		t.Errorf("%d, of a table that nobody can read", got.status)
	}
}
