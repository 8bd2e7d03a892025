package main

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/claimsync/claimsync/outbox"
)

// outcomes are those in the CRM's delivery log, once each, sorted.
func (m *monolith) outcomes() string {
	m.t.Helper()
	return look[string](m, `SELECT COALESCE(string_agg(DISTINCT outcome::text, ' '), '') FROM outbox_delivery WHERE topic = $1`, crmTopic)
}

// TestCRMFails: however the CRM fails, Clerk is not kept waiting, and the account is right once that is over.
func TestCRMFails(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		fault   http.HandlerFunc
		outcome string
	}{
		"is away":           {answer(503), "outage"},
		"tells to wait":     {answer(429, "Retry-After", "1"), "wait"},
		"does not say when": {answer(429), "wait"},
		"is silent":         {silence, "ambiguous"},
		"refuses our key":   {answer(403), "stop"},
		"is busy":           {answer(409), "retry"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := start(t)
			m.crm.failBy(test.fault)
			m.create("acme")
			if status := m.begin("acme", "roof", nextYear); status != http.StatusCreated {
				t.Fatalf("beginning a project: %d", status)
			}
			m.until("the CRM has failed", func() bool { return strings.Contains(m.outcomes(), test.outcome) })
			m.until("Clerk knows that it is insured", func() bool { return strings.Contains(m.claims("acme"), `"insurance_valid":true`) })
			m.crm.failBy(nil)
			m.until("so does the CRM", func() bool { return m.crm.account("acme").Projects == 1 })
			if calls := m.crm.called(); calls > 20 {
				t.Errorf("the CRM was called %d times", calls)
			}
		})
	}
}

// TestCRMIsNotThere: a write that could not be sent leaves no doubt.
func TestCRMIsNotThere(t *testing.T) {
	t.Parallel()
	silent := httptest.NewServer(http.HandlerFunc(silence))
	defer silent.Close()
	const gone = "http://127.0.0.1:1" // which nobody listens at; a port that was closed may be somebody's again
	for url, want := range map[string]outbox.Action{gone: outbox.Outage, silent.URL: outbox.Ambiguous} {
		crm := newCRM(nil, url, crmKey)
		crm.http.Timeout = 300 * time.Millisecond
		_, _, err := crm.call(t.Context(), http.MethodPut, "acme", []byte("{}"))
		if failure, ok := errors.AsType[*outbox.Failure](err); !ok || failure.Action != want || failure.MayLand() != (want == outbox.Ambiguous) {
			t.Errorf("writing to %s: %v, want %s", url, err, want)
		}
	}
}

// TestCRMRefuses: what is refused for good is parked with its reason, and delivered again when it changes.
func TestCRMRefuses(t *testing.T) {
	t.Parallel()
	m := start(t)
	m.crm.failBy(answer(422))
	m.create("acme")
	const parked = "SELECT COALESCE((SELECT parked_reason FROM outbox WHERE topic = $1), '')"
	m.until("it is parked", func() bool { return look[string](m, parked, crmTopic) == "park 422" })
	m.crm.failBy(nil)
	m.begin("acme", "roof", nextYear)
	m.until("the CRM has it", func() bool { return m.crm.account("acme").Projects == 1 })
}

// TestCRMBreaker: each destination has a breaker and a queue of its own.
func TestCRMBreaker(t *testing.T) {
	t.Parallel()
	m := start(t)
	m.crm.failBy(answer(503))
	ids := []string{"a", "b", "c", "d"}
	for _, id := range ids {
		m.create(id)
	}
	m.until("the CRM's breaker opens", func() bool {
		return look[bool](m, "SELECT EXISTS (SELECT FROM destination WHERE topic = $1 AND opened_at IS NOT NULL)", crmTopic)
	})
	for _, id := range ids {
		m.until("Clerk has "+id, func() bool { return m.claims(id) != "{}" })
	}
	if paused := look[string](m, "SELECT COALESCE(string_agg(name, ' '), '') FROM river_queue WHERE paused_at IS NOT NULL"); paused != crmTopic {
		t.Errorf("paused: %q", paused)
	}
	m.crm.failBy(nil)
	for _, id := range ids {
		m.until("the CRM has "+id, func() bool { return m.crm.account(id).Score != nil })
	}
}

// TestCRMLateWrite: a request that was given up on lands over a newer one; reading back finds that, and mends it.
func TestCRMLateWrite(t *testing.T) {
	t.Parallel()
	m := start(t)
	m.crm.failBy(silence)
	m.create("acme")
	m.until("a request is given up on", func() bool { return strings.Contains(m.outcomes(), "ambiguous") })
	m.crm.failBy(nil)
	m.begin("acme", "roof", nextYear)
	clean := func() bool {
		return look[bool](m, "SELECT dirty_since IS NULL AND verify_at IS NOT NULL FROM outbox WHERE topic = $1", crmTopic)
	}
	m.until("it is delivered, and to be verified", clean)
	m.crm.set("acme", account{})
	if _, err := m.pool.Exec(t.Context(), "UPDATE outbox SET verify_at = now() WHERE topic = $1", crmTopic); err != nil {
		t.Fatal(err)
	}
	m.until("it is mended", func() bool { return m.crm.account("acme").Projects == 1 })
	if !strings.Contains(m.outcomes(), "overwritten") {
		t.Errorf("the log has %s", m.outcomes())
	}
}

// TestCRMFollowsTime: nobody writes anything, and the CRM learns that an insurance has run out.
func TestCRMFollowsTime(t *testing.T) {
	t.Parallel()
	m := start(t)
	m.create("acme")
	m.begin("acme", "roof", nextYear)
	insured := func(want bool) func() bool {
		return func() bool { found := m.crm.account("acme").Insured; return found != nil && *found == want }
	}
	m.until("it is insured", insured(true))
	for _, passes := range []string{ // a year, for what is stored
		"UPDATE insurance_policies SET expiry_date = now()", "UPDATE organizations SET recalculate_at = now(), insured_until = now()",
	} {
		if _, err := m.pool.Exec(t.Context(), passes); err != nil {
			t.Fatal(err)
		}
	}
	m.until("it is not any more", insured(false))
	m.until("Clerk knows too", func() bool { return strings.Contains(m.claims("acme"), `"insurance_valid":false`) })
}

// TestCRMDeleted: an organization that is gone leaves nothing in its account.
func TestCRMDeleted(t *testing.T) {
	t.Parallel()
	m := start(t)
	m.create("acme")
	m.until("the CRM has it", func() bool { return m.crm.account("acme").Score != nil })
	if status, answer := m.request("DELETE", "/internal/claimsync/v1/organizations/acme", ""); status != http.StatusNoContent {
		t.Fatalf("deleting: %d %s", status, answer)
	}
	m.until("the CRM has nothing of it", func() bool { return cmp.Equal(m.crm.account("acme"), account{}) })
}

var _ outbox.Destination = (*crm)(nil)
