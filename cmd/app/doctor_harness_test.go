package main

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/claimsync/claimsync/clerk/clerktest"
)

// patient is a set-up with nothing wrong but what a test does to it.
type patient struct {
	t     *testing.T
	url   string // of the database
	clerk *clerktest.Server
	set   map[string]string // the environment
}

func newPatient(t *testing.T, url string) *patient {
	t.Helper()
	clerk, err := clerktest.Start(clerktest.Config{SecretKey: testKey})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := clerk.Close(); err != nil {
			t.Error(err)
		}
	})
	return &patient{t, url, clerk, map[string]string{
		"DATABASE_URL": url, "CLERK_SECRET_KEY": testKey, "CLERK_API_URL": clerk.BaseURL(),
		"CLERK_WEBHOOK_SECRET": testWebhookSecret, "ADMIN_TOKEN": strongToken,
	}}
}

// strongToken cannot be guessed, and is used nowhere.
const strongToken = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"

func (p *patient) environment() (environment []string) {
	for name, value := range p.set {
		environment = append(environment, name+"="+value)
	}
	return environment
}

// findings are those of app doctor, by step. What it prints for people is checked too.
func (p *patient) findings() map[string]finding {
	p.t.Helper()
	got := runApp(p.t, p.t.Context(), "", p.environment(), "doctor", "--json")
	var said struct {
		OK       bool      `json:"ok"`
		Findings []finding `json:"findings"`
	}
	if err := json.Unmarshal([]byte(got.stdout), &said); err != nil {
		p.t.Fatalf("%v in %+v", err, got)
	}
	found := map[string]finding{}
	for _, f := range said.Findings {
		found[f.Step] = f
		if needed := f.Verdict == warned || f.Verdict == failed; needed != (f.Remedy != "") {
			p.t.Errorf("%s, %s: remedy %q", f.Step, f.Verdict, f.Remedy)
		}
	}
	if len(found) != len(steps()) {
		p.t.Errorf("%d steps of %d: %v", len(found), len(steps()), slices.Sorted(maps.Keys(found)))
	}
	failures := count(said.Findings, failed)
	if said.OK != (failures == 0) || (got.code == exitOK) != said.OK || got.code > exitFailed || got.stderr != "" {
		p.t.Errorf("%d failures: ok %t, exit code %d, stderr %s", failures, said.OK, got.code, got.stderr)
	}
	return found
}

// finds checks what one step finds: how it ends, and texts that its line or its remedy has.
func (p *patient) finds(step string, want verdict, texts ...string) finding {
	p.t.Helper()
	f := p.findings()[step]
	f.is(p.t, want, texts...)
	return f
}

func (f finding) is(t *testing.T, want verdict, texts ...string) {
	t.Helper()
	if f.Verdict != want {
		t.Errorf("%s: %s, want %s: %s (%s)", f.Step, f.Verdict, want, f.Found, f.Remedy)
	}
	for _, text := range texts {
		if !strings.Contains(f.Found+" → "+f.Remedy, text) {
			t.Errorf("%s does not say %q: %s → %s", f.Step, text, f.Found, f.Remedy)
		}
	}
}

// settled is the Clerk organization of a patient that has one in step.
const settled = "org_settled"

// settle imports n organizations, the first of which is in step as far as the database knows, though it is not.
func (p *patient) settle(n int) {
	p.t.Helper()
	organizations := sampleOf(n)
	organizations[0].ClerkOrgID = new(settled)
	p.clerk.AddOrganization(settled, "Settled")
	if got := runApp(p.t, p.t.Context(), ndjsonOf(p.t, organizations), p.environment(), "import", "-"); got.code != exitOK {
		p.t.Fatalf("%+v", got)
	}
	p.exec(`UPDATE outbox SET synced_version = desired_version, synced_at = now(), dirty_since = NULL, job_id = NULL
		WHERE key = '` + settled + `'`)
}

// contents is all that the database holds, by table.
func (p *patient) contents() map[string]string {
	p.t.Helper()
	conn, err := pgx.Connect(p.t.Context(), p.url)
	if err != nil {
		p.t.Fatal(err)
	}
	defer func() { _ = conn.Close(p.t.Context()) }()
	rows, err := conn.Query(p.t.Context(), `SELECT format('%I.%I', schemaname, tablename) FROM pg_tables
		WHERE schemaname NOT IN ('pg_catalog', 'information_schema')`)
	if err != nil {
		p.t.Fatal(err)
	}
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		p.t.Fatal(err)
	}
	contents := map[string]string{}
	for _, table := range tables {
		var text string
		err := conn.QueryRow(p.t.Context(), "SELECT COALESCE(string_agg(t::text, chr(10) ORDER BY t::text), '') FROM "+table+" AS t").Scan(&text)
		if err != nil {
			p.t.Fatal(err)
		}
		contents[table] = text
	}
	return contents
}

func (p *patient) exec(statements ...string) {
	p.t.Helper()
	execOn(p.t, p.url, statements...)
}

func execOn(t *testing.T, url string, statements ...string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	for _, sql := range statements {
		if _, err := conn.Exec(t.Context(), sql); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
}
