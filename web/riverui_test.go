package web_test

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/claimsync/claimsync/db/dbtest"
	"github.com/claimsync/claimsync/web"
)

// newRiverUI is an API with the console and River UI.
func newRiverUI(t *testing.T, pool *pgxpool.Pool, adjust ...func(*web.Config)) *api {
	t.Helper()
	return newAPI(t, pool, append(adjust, withPages(t, pool))...)
}

func TestRiverUI(t *testing.T) {
	t.Parallel()
	a := newRiverUI(t, dbtest.New(t))
	a.must(201, "POST", "/v1/organizations", `{"name": "O", "clerk_org_id": "org_1"}`)

	index := a.do("GET", "/riverui/", "", "Accept", "text/html")
	if index.status != 200 || !strings.Contains(index.body, `<div id="root"`) {
		t.Fatalf("GET /riverui/: %d %s", index.status, index.body)
	}
	if policy := index.header.Get("Content-Security-Policy"); !strings.Contains(policy, "default-src 'self'") {
		t.Errorf("policy of River UI: %s", policy)
	}
	_, script, _ := strings.Cut(index.body, `<script type="module" src="`)
	script, _, _ = strings.Cut(script, `"`)
	// With nosniff, a browser runs what is called a script and nothing else.
	got := a.do("GET", script, "")
	if kind := got.header.Get("Content-Type"); got.status != 200 || !strings.Contains(kind, "javascript") {
		t.Errorf("GET %s: %d %s", script, got.status, kind)
	}
	got = a.do("GET", "/riverui/api/jobs?state=available", "")
	if got.status != 200 || !strings.Contains(got.body, "org_1") {
		t.Errorf("the job in River UI: %d %s", got.status, got.body)
	}
	if features := a.must(200, "GET", "/riverui/api/features", ""); features["job_list_hide_args_by_default"] != true {
		t.Errorf("the list of jobs shows their arguments: %v", features)
	}
}

// TestNoRiverUI: the console is there, and nothing of River UI, nor a link to it.
func TestNoRiverUI(t *testing.T) {
	t.Parallel()
	a := newRiverUI(t, dbtest.New(t), func(config *web.Config) { config.NoRiverUI = true })
	a.must(201, "POST", "/v1/organizations", `{"id": "o", "name": "O", "clerk_org_id": "org_1"}`)
	for path, status := range map[string]int{
		"/": 200, "/organizations/o": 200, "/riverui": 404, "/riverui/": 404, "/riverui/api/jobs": 404, "/riverui/api/queues": 404,
	} {
		if got := a.do("GET", path, ""); got.status != status || status == 200 && strings.Contains(got.body, "riverui") {
			t.Errorf("GET %s: %d %s", path, got.status, got.body)
		}
	}
	before := a.contents()
	if got := a.do("POST", "/riverui/api/jobs/delete", `{"ids": [1]}`); got.status != 404 {
		t.Errorf("deleting a job: %d", got.status)
	}
	diff(t, "the database", before, a.contents())
}
