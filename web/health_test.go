package web_test

import (
	"strings"
	"testing"

	"github.com/claimsync/claimsync/db/dbtest"
)

// A failure of Clerk does not take the service out: it is said, and no more.
func TestReadyWhileTheBreakerIsOpen(t *testing.T) {
	t.Parallel()
	a := newAPI(t, dbtest.New(t))
	ready := func() object { return a.must(200, "GET", "/readyz", "") }
	if got := ready(); got["status"] != "ready" || got["reasons"] != nil {
		t.Errorf("with no breaker yet: %v", got)
	}
	a.exec(`INSERT INTO destination (topic, blocked_until, blocked_reason)
		VALUES ('clerk_organization', now() + interval '1 h', '429')`)
	if got := ready(); got["status"] != "ready" {
		t.Errorf("told to wait: %v", got)
	}
	for cause, want := range map[string]string{
		"outage":        "Clerk fails or does not answer (outage) since 2026-05-22T14:15:41.000Z: changes wait until it recovers",
		"configuration": "Clerk refuses us (configuration) since 2026-05-22T14:15:41.000Z: check CLERK_SECRET_KEY and CLERK_API_URL;",
		"operator":      "a person opened the breaker (operator) at 2026-05-22T14:15:41.000Z: changes wait until app breaker close",
	} {
		a.exec(`UPDATE destination SET opened_at = '2026-05-22T14:15:41.5Z', open_cause = '` + cause + `',
			open_reason = 'hunter2', probe_at = now()`)
		got := a.do("GET", "/readyz", "", "Authorization", "")
		if got.status != 200 || got.json(t)["status"] != "degraded" {
			t.Errorf("%s: %d %s", cause, got.status, got.body)
		}
		if reasons := got.json(t)["reasons"].([]any); len(reasons) != 1 || !strings.HasPrefix(reasons[0].(string), want) {
			t.Errorf("%s: %v, want %q", cause, reasons, want)
		}
		if strings.Contains(got.body, "hunter2") {
			t.Errorf("%s: what is open to all shows the breaker's own reason: %s", cause, got.body)
		}
		a.must(201, "POST", "/v1/organizations", `{"id": "during-`+cause+`", "name": "O"}`)
	}
	a.exec(`UPDATE destination SET opened_at = NULL, open_cause = NULL, open_reason = NULL, probe_at = NULL`)
	if got := ready(); got["status"] != "ready" {
		t.Errorf("closed again: %v", got)
	}
}

// A database that is there and has no tables is told from one that is away.
func TestNotReadyUnlessMigrated(t *testing.T) {
	t.Parallel()
	a := newAPI(t, dbtest.NewEmpty(t))
	got := a.do("GET", "/readyz", "")
	if got.status != 503 || !strings.Contains(got.body, "has it been migrated?") || got.header.Get("Retry-After") == "" {
		t.Errorf("%d %s", got.status, got.body)
	}
}
