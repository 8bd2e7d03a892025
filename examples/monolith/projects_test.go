package main

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/claimsync/claimsync/db/dbtest"
	"github.com/claimsync/claimsync/internal/pgbouncer"
)

var nextYear = time.Now().Add(400 * 24 * time.Hour)

// TestOneTransaction: the application's row and job, the score, Clerk's claims and the CRM's account come of one transaction.
func TestOneTransaction(t *testing.T) {
	t.Parallel()
	oneTransaction(t, start(t))
}

// TestBehindPgBouncer: also through a pooler in transaction mode, beginning with the migrations, and with nothing left in its
// sessions.
func TestBehindPgBouncer(t *testing.T) {
	t.Parallel()
	pgbouncer.Need(t)
	database := dbtest.EmptyURL(t)
	through := pgbouncer.Start(t, database, 6)
	oneTransaction(t, startOn(t, database, through))
	pgbouncer.LeavesNothing(t, through, 6)
}

func oneTransaction(t *testing.T, m *monolith) {
	t.Helper()
	m.create("acme")
	m.until("Clerk knows that it is not insured", func() bool { return strings.Contains(m.claims("acme"), `"insurance_valid":false`) })
	if status := m.begin("acme", "roof", nextYear); status != http.StatusCreated {
		t.Fatalf("beginning a project: %d", status)
	}
	if n := look[int](m, "SELECT count(*) FROM projects"); n != 1 {
		t.Errorf("%d projects", n)
	}
	m.until("Clerk knows that it is insured", func() bool { return strings.Contains(m.claims("acme"), `"insurance_valid":true`) })
	score := look[int](m, "SELECT compliance_score FROM organizations")
	m.until("so does the CRM", func() bool {
		a := m.crm.account("acme")
		return a.Projects == 1 && a.Insured != nil && *a.Insured && *a.Score == score
	})
	if status := m.begin("acme", "shed", nextYear); status != http.StatusCreated { // the score is as it was
		t.Fatalf("beginning another: %d", status)
	}
	m.until("the CRM has both projects", func() bool { return m.crm.account("acme").Projects == 2 })
	m.until("the mail is sent", func() bool { return strings.Contains(m.log.String(), `msg="Mail sent" project=roof`) })
	m.until("no job is left", func() bool { return look[bool](m, "SELECT count(*) = 0 FROM river_job WHERE state <> 'completed'") })
}

// TestRollback: of a transaction that failed at its very end, nothing is left and nothing is sent.
func TestRollback(t *testing.T) {
	t.Parallel()
	m := start(t)
	m.create("acme")
	m.begin("acme", "roof", nextYear)
	m.until("all is delivered", func() bool {
		return look[bool](m, "SELECT count(*) = 2 AND count(dirty_since) = 0 FROM outbox") && m.crm.account("acme").Projects == 1
	})
	const state = `SELECT concat_ws(' ', (SELECT sum(desired_version) FROM outbox), (SELECT max(id) FROM river_job),
		(SELECT compliance_score || ' ' || insurance_valid FROM organizations), (SELECT count(*) FROM projects))`
	before, claims, writes := look[string](m, state), m.claims("acme"), m.crm.written("acme")

	if status := m.begin("acme", "roof", time.Now().Add(-time.Hour)); status != http.StatusConflict {
		t.Fatalf("a second project of that name: %d", status)
	}
	if status := m.begin("nobody", "roof", nextYear); status != http.StatusNotFound {
		t.Fatalf("a project of nobody: %d", status)
	}
	if after := look[string](m, state); after != before {
		t.Errorf("the transactions left %q of %q", after, before)
	}
	// What comes afterwards is delivered, and nothing came before.
	m.create("other")
	m.until("the other organization is delivered", func() bool {
		return m.claims("other") != "{}" && m.crm.account("other").Score != nil
	})
	if m.claims("acme") != claims || m.crm.written("acme") != writes {
		t.Errorf("Clerk has %s, had %s; the CRM was written to %d times", m.claims("acme"), claims, m.crm.written("acme")-writes)
	}
}

// TestRefused: what makes no sense is refused before anything is written, strangers before that.
func TestRefused(t *testing.T) {
	t.Parallel()
	m := start(t)
	m.create("acme")
	if status, _ := m.request("POST", "/projects",
		`{"organization": "acme", "name": "roof", "policies": [{"policy_type": "PUBLIC_LIABILITY", "coverage_amount": -1, "expiry_date": "2030-01-01T00:00:00Z"}]}`,
	); status != http.StatusUnprocessableEntity && status != http.StatusBadRequest {
		t.Errorf("a policy over less than nothing: %d", status)
	}
	request, err := http.NewRequestWithContext(t.Context(), "POST", m.url+"/projects", strings.NewReader(`{}`))
	if err != nil {
		t.Fatal(err)
	}
	request.SetBasicAuth("ada", "guessed")
	if status, _ := m.send(request); status != http.StatusUnauthorized {
		t.Errorf("a stranger: %d", status)
	}
	if n := look[int](m, "SELECT count(*) FROM projects"); n != 0 {
		t.Errorf("%d projects", n)
	}
}

// TestConsole: claimsync's pages and API are below their prefix, for the application's staff alone.
func TestConsole(t *testing.T) {
	t.Parallel()
	m := start(t)
	m.create("acme")
	for path, text := range map[string]string{
		"/": "Clerk", "/organizations/acme": "Roofers", "/riverui/": `<div id="root"`, "/v1/organizations": `"acme"`, "/livez": "alive",
	} {
		if status, answer := m.request("GET", "/internal/claimsync"+path, ""); status != http.StatusOK || !strings.Contains(answer, text) {
			t.Errorf("GET %s: %d %s", path, status, answer)
		}
	}
	for path, want := range map[string]int{"/": 401, "/riverui/": 401, "/v1/organizations": 401, "/livez": 200} {
		request, err := http.NewRequestWithContext(t.Context(), "GET", m.url+"/internal/claimsync"+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if status, _ := m.send(request); status != want {
			t.Errorf("GET %s by a stranger: %d, want %d", path, status, want)
		}
	}
	if status, _ := m.request("GET", "/organizations/acme", ""); status != http.StatusNotFound {
		t.Errorf("outside of the prefix: %d", status)
	}
	request, err := http.NewRequestWithContext(t.Context(), "POST", m.url+"/internal/claimsync/breaker/open", strings.NewReader("reason=rehearsal"))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.SetBasicAuth("ada", password)
	if status, answer := m.send(request); status != http.StatusSeeOther {
		t.Errorf("opening the breaker: %d %s", status, answer)
	}
	if who := look[string](m, "SELECT operator FROM operator_action WHERE action = 'breaker_open'"); who != "ada" {
		t.Errorf("the operator log says that %q opened it", who)
	}
}
