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
	if got := ready(); got["status"] != "ready" || got["reasons"] != nil || got["causes"] != nil {
		t.Errorf("with no breaker yet: %v", got)
	}
	a.exec(`INSERT INTO destination (topic) VALUES ('clerk_organization')`)
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
		diff(t, cause, any([]any{cause}), got.json(t)["causes"])
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

// Being told to wait is usual, for a while.
func TestReadyWhileToldToWait(t *testing.T) {
	t.Parallel()
	a := newAPI(t, dbtest.New(t))
	wait := func(until string) object {
		a.exec(`INSERT INTO destination (topic, blocked_until, blocked_reason) VALUES ('clerk_organization', ` + until + `, 'hunter2')
			ON CONFLICT (topic) DO UPDATE SET blocked_until = EXCLUDED.blocked_until`)
		return a.must(200, "GET", "/readyz", "")
	}
	for _, until := range []string{"now() + interval '59 s'", "now() - interval '1 h'"} {
		diff(t, until, object{"status": "ready"}, wait(until))
	}
	diff(t, "for long", object{
		"status": "degraded", "causes": []any{"retry_after"},
		"reasons": []any{"Clerk told everybody to wait (Retry-After) until 2126-05-22T14:15:41.000Z: changes wait"},
	}, wait("timestamptz '2126-05-22T14:15:41.5Z'"))
}

// A pause that the breaker made is told as the breaker's; one that a person made is told beside it.
func TestReadyWhileTheQueueIsPaused(t *testing.T) {
	t.Parallel()
	a := newAPI(t, dbtest.New(t))
	causes := func() any { return a.must(200, "GET", "/readyz", "")["causes"] }
	a.exec(`INSERT INTO river.river_queue (name, paused_at, updated_at)
		VALUES ('clerk_organization', NULL, now()), ('other', now(), now())`)
	if got := causes(); got != nil {
		t.Errorf("another queue is paused: %v", got)
	}
	a.exec(`UPDATE river.river_queue SET paused_at = '2026-05-22T14:15:41.5Z' WHERE name = 'clerk_organization'`)
	diff(t, "by a person", object{
		"status": "degraded", "causes": []any{"queue_paused"},
		"reasons": []any{"a person paused River's queue at 2026-05-22T14:15:41.000Z: changes wait until it is resumed, in River UI"},
	}, a.must(200, "GET", "/readyz", ""))

	a.exec(`INSERT INTO destination (topic, opened_at, open_cause, open_reason, probe_at, queue_paused_at)
		SELECT name, now(), 'outage', '503', now(), paused_at FROM river.river_queue WHERE name = 'clerk_organization'`)
	diff(t, "by the breaker", any([]any{"outage"}), causes())
	a.exec(`UPDATE river.river_queue SET paused_at = now() WHERE name = 'clerk_organization'`)
	diff(t, "by both", any([]any{"outage", "queue_paused"}), causes())
}

// A database that is there and has no tables is told from one that is away.
func TestNotReadyUnlessMigrated(t *testing.T) {
	t.Parallel()
	a := newAPI(t, dbtest.NewEmpty(t))
	got := a.do("GET", "/readyz", "")
	if got.status != 503 || !strings.Contains(got.body, "has it been migrated?") || got.header.Get("Retry-After") == "" {
		t.Errorf("%d %s", got.status, got.body)
	}
	diff(t, "causes", any([]any{"schema"}), got.json(t)["causes"])
}
