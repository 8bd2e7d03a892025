package web_test

import (
	"encoding/base64"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/claimsync/claimsync/db/dbtest"
	"github.com/claimsync/claimsync/web"
)

func basic(user, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
}

// withPages adds the console and River UI.
func withPages(t *testing.T, pool *pgxpool.Pool) func(*web.Config) {
	t.Helper()
	client := insertOnly(t, pool)
	return func(config *web.Config) { config.River = client }
}

func TestAuthentication(t *testing.T) {
	t.Parallel()
	a := newRiverUI(t, dbtest.New(t))
	before := a.contents()
	const body = `{"name": "x"}`
	for _, refused := range []string{
		"", "Bearer", "Bearer ", "Bearer wrong", "Bearer " + token + "x", "Bearer " + token[1:], token, "Token " + token,
		basic("admin", ""), basic("admin", "wrong"), basic(token, "wrong"), "Basic " + token,
	} {
		got := a.do("POST", "/v1/organizations", body, "Authorization", refused)
		checkProblem(t, got, 401, "")
		if challenge := got.header.Get("WWW-Authenticate"); !strings.HasPrefix(challenge, "Bearer ") {
			t.Errorf("challenge of the API: %q", challenge)
		}
		for _, path := range []string{"/", "/riverui/", "/riverui/api/jobs"} {
			got := a.do("GET", path, "", "Authorization", refused)
			if challenge := got.header.Get("WWW-Authenticate"); got.status != 401 || !strings.HasPrefix(challenge, "Basic ") {
				t.Errorf("GET %s with %q: %d, challenge %q", path, refused, got.status, challenge)
			}
		}
	}
	diff(t, "the database", before, a.contents())

	for _, accepted := range []string{"Bearer " + token, "bearer " + token, basic("", token), basic("anybody", token)} {
		for path, status := range map[string]int{"/v1/organizations": 200, "/riverui/": 200, "/": 200} {
			if got := a.do("GET", path, "", "Authorization", accepted); got.status != status {
				t.Errorf("GET %s with %q: %d, want %d", path, accepted, got.status, status)
			}
		}
	}
}

// TestAdmitted: an empty token is nobody's, not everybody's.
func TestAdmitted(t *testing.T) {
	t.Parallel()
	for _, known := range []string{"", token} {
		for _, given := range []string{
			"", "Bearer", "Bearer ", "Bearer  ", "Bearer wrong", "Bearer " + token, basic("admin", ""), basic("admin", token), basic("", ""),
		} {
			r := httptest.NewRequestWithContext(t.Context(), "GET", "/", nil)
			r.Header.Set("Authorization", given)
			want := known != "" && (given == "Bearer "+token || given == basic("admin", token))
			if got := web.Admitted(known)(r); got != want {
				t.Errorf("where %q admits, %q is admitted: %t", known, given, got)
			}
		}
	}
}

// TestOtherSitesChangeNothing: a browser that knows the password adds it to a request that a page of another site makes.
func TestOtherSitesChangeNothing(t *testing.T) {
	t.Parallel()
	a := newRiverUI(t, dbtest.New(t))
	before := a.contents()
	for _, path := range []string{"/v1/organizations", "/riverui/api/jobs/delete"} {
		for _, headers := range [][]string{
			{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "https://evil.example"},
		} {
			got := a.do("POST", path, `{"name": "x"}`, append(headers, "Authorization", basic("admin", token))...)
			checkProblem(t, got, 403, "")
		}
	}
	diff(t, "the database", before, a.contents())
	got := a.do("POST", "/riverui/api/jobs/delete", "",
		"Authorization", basic("admin", token), "Sec-Fetch-Site", "same-origin")
	if got.status != 400 { // River UI asks for what
		t.Errorf("River UI's own request: %d %s", got.status, got.body)
	}
}

func TestRoutes(t *testing.T) {
	t.Parallel()
	a := newAPI(t, dbtest.New(t))
	for _, test := range []struct {
		method, path string
		status       int
		allow        string
	}{
		{"GET", "/nothing", 404, ""},
		{"GET", "/", 404, ""}, // no River UI
		{"GET", "/riverui/", 404, ""},
		{"GET", "/metrics", 404, ""},
		{"GET", "/v1/organizations/", 404, ""},
		{"GET", "/v1/organizations/o/none", 404, ""},
		{"PUT", "/v1/organizations", 405, "GET, HEAD, POST"},
		{"POST", "/v1/organizations/o", 405, "DELETE, GET, HEAD, PATCH"},
		{"OPTIONS", "/v1/organizations/o", 405, "DELETE, GET, HEAD, PATCH"},
		{"GET", "/v1/organizations/o/facts", 405, "PUT"},
		{"GET", "/v1/organizations/o/sync", 405, "POST"},
		{"POST", "/livez", 405, "GET, HEAD"},
	} {
		got := a.do(test.method, test.path, "")
		checkProblem(t, got, test.status, "")
		if allow := got.header.Get("Allow"); allow != test.allow {
			t.Errorf("%s %s: Allow %q, want %q", test.method, test.path, allow, test.allow)
		}
	}
}
