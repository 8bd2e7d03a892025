package claimsync_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/claimsync/claimsync"
	"github.com/claimsync/claimsync/clerk"
	"github.com/claimsync/claimsync/clerk/clerktest"
	"github.com/claimsync/claimsync/scoring"
)

const (
	certified  = "map[certification_tier:CERTIFIED compliance_score:5 insurance_valid:false]"
	newSecret  = "whsec_dGhlIG5leHQgc2VjcmV0"
	handEdited = `{"certification_tier":"GOLD","compliance_score":100,"insurance_valid":true}`
)

// call makes a request of Clerk's API, as another application would, and returns the id in the answer.
func (h *hooked) call(method, path, body string) string {
	h.t.Helper()
	request, err := http.NewRequestWithContext(h.t.Context(), method, h.clerk.BaseURL()+path, strings.NewReader(body))
	if err != nil {
		h.t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+clerktest.DefaultSecretKey)
	request.Header.Set("Clerk-API-Version", clerktest.APIVersion)
	request.Header.Set("Content-Type", "application/json")
	response, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(request)
	if err != nil {
		h.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	var organization struct{ ID string }
	if err := json.NewDecoder(response.Body).Decode(&organization); err != nil || response.StatusCode != 200 {
		h.t.Fatalf("%s %s: %s, %v", method, path, response.Status, err)
	}
	return organization.ID
}

func (h *hooked) createAtClerk(id string) string {
	h.t.Helper()
	return h.call("POST", "/organizations", fmt.Sprintf(`{"name":"Of %s","private_metadata":{"external_id":%q}}`, id, id))
}

// The whole life of a Clerk organization: created, it is linked and gets its claims; deleted, it is unlinked, and
// nothing is left to be done. During the rotation of the secret either one does.
func TestLinkedByEvents(t *testing.T) {
	t.Parallel()
	for name, secrets := range map[string][2]string{
		"ours is the new secret": {clerktest.DefaultWebhookSecret, newSecret},
		"ours is the old secret": {newSecret, clerktest.DefaultWebhookSecret},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHooked(t)
			h.insert("a", "")
			h.work()
			h.hook(clerktest.WebhookConfig{Secret: secrets[0], PreviousSecret: secrets[1], Twice: true})

			id := h.createAtClerk("a")
			h.quiet(4) // created, and our push; both twice
			if got := h.linked(); got != "a to "+id || h.claims(id) != certified {
				t.Fatalf("linked: %s, claims: %s", got, h.claims(id))
			}
			h.call("DELETE", "/organizations/"+id, "")
			h.quiet(6)
			if got := h.linked(); got != "" {
				t.Errorf("linked: %s", got)
			}
			if writes := len(h.clerk.Writes()); writes != 1 {
				t.Errorf("%d writes, want 1: the push", writes)
			}
			for _, delivery := range h.clerk.Deliveries() {
				if delivery.Status != 204 {
					t.Errorf("%+v", delivery)
				}
			}
			again := h.createAtClerk("a") // its successor
			h.quiet(10)
			if got := h.linked(); got != "a to "+again || h.claims(again) != certified {
				t.Errorf("linked: %s, claims: %s", got, h.claims(again))
			}
		})
	}
}

// In whatever order the events come, and how often: what there is at Clerk is linked, what is gone is not.
func TestEventsInAnyOrder(t *testing.T) {
	h := newHooked(t)
	h.work()
	h.hook(clerktest.WebhookConfig{Spread: 300 * time.Millisecond, Twice: true, RetryDelay: 10 * time.Millisecond})
	var want []string
	const organizations = 8
	for i := range organizations {
		id := fmt.Sprint("a", i)
		h.insert(id, "")
		key := h.createAtClerk(id)
		h.call("PATCH", "/organizations/"+key, `{"name":"Renamed"}`)
		if i%2 == 0 {
			want = append(want, id+" to "+key)
		} else {
			h.call("DELETE", "/organizations/"+key, "")
		}
	}
	h.until("all events have come", func() bool {
		return h.is(`SELECT count(*) FILTER (WHERE type = 'organization.created') = $1
			AND count(*) FILTER (WHERE type = 'organization.deleted') = $1 / 2 FROM clerk_event`, organizations)
	})
	h.clean()
	if got := h.linked(); got != strings.Join(want, ", ") {
		t.Errorf("linked: %s, want %s", got, want)
	}
	for _, pair := range want {
		_, key, _ := strings.Cut(pair, " to ")
		if h.claims(key) != certified {
			t.Errorf("%s: %s", pair, h.claims(key))
		}
	}
}

// Somebody edits our values in Clerk's dashboard: they are put right, and the keys of others left alone.
func TestHandEditIsRepaired(t *testing.T) {
	h := newHooked(t)
	h.clerk.AddOrganization("org_1", "One")
	h.work()
	h.insert("a", "org_1")
	h.clean()
	h.hook(clerktest.WebhookConfig{})
	h.clerk.EditMetadata("org_1", json.RawMessage(strings.Replace(handEdited, "{", `{"theirs":1,`, 1)), nil)
	h.quiet(2) // the edit, and our push
	if got := h.claims("org_1"); got != strings.Replace(certified, "]", " theirs:1]", 1) {
		t.Errorf("claims: %s", got)
	}
	if got := h.text(`SELECT string_agg(outcome::text, ' ' ORDER BY id) FROM outbox_delivery`); got != "applied overwritten applied" {
		t.Errorf("deliveries: %s", got)
	}
	h.clerk.EditMetadata("org_1", json.RawMessage(`{"theirs":2,`+strings.TrimPrefix(
		`{"certification_tier":"CERTIFIED","compliance_score":5,"insurance_valid":false}`, "{")), nil)
	h.quiet(3)
	if writes, reads := len(h.clerk.Writes()), h.reads(); writes != 2 || reads != 1 {
		t.Errorf("%d writes, %d reads after an edit that does not concern us, want 2 and 1", writes, reads)
	}
}

// Each push of ours is an event: one that says what we pushed, and leads to nothing.
func TestOwnPushesLeadToNothing(t *testing.T) {
	h := newHooked(t)
	h.clerk.AddOrganization("org_1", "One")
	h.work()
	h.hook(clerktest.WebhookConfig{Twice: true})
	h.insert("a", "org_1")
	const pushes = 6
	for n := range pushes - 1 {
		h.quiet(2 * (n + 1))
		h.setTier(n)
	}
	h.quiet(2 * pushes)
	if writes, reads := len(h.clerk.Writes()), h.reads(); writes != pushes || reads != 0 {
		t.Errorf("%d writes and %d reads, want %d and none", writes, reads, pushes)
	}

	// Without a pause, an event may tell of a push that is out of date already: what is read back then is right.
	for n := range 4 * pushes {
		h.setTier(n)
	}
	h.clean()
	events := len(h.clerk.Writes())
	h.quiet(2 * events)
	if got := len(h.clerk.Writes()); got != events || got > 5*pushes {
		t.Errorf("%d writes once the last of %d changes was pushed, %d in the end", events, 5*pushes, got)
	}
	if overwritten := h.is(`SELECT count(*) > 0 FROM outbox_delivery WHERE outcome = 'overwritten'`); overwritten {
		t.Error("a push of our own was taken for somebody else's")
	}
	if got := h.events.of(clerk.OrganizationUpdated, claimsync.EventContested); got > 0 {
		t.Errorf("%d events were contested", got)
	}
}

// setTier changes the tier of a, to and fro.
func (h *hooked) setTier(n int) {
	h.t.Helper()
	tier := []scoring.Tier{scoring.MasterRoofer, scoring.Certified}[n%2]
	h.transact(func(tx pgx.Tx) error {
		_, _, err := h.store.UpdateTx(h.t.Context(), tx, "a", scoring.OrganizationUpdate{CertificationTier: &tier}, time.Time{})
		return err
	})
}

// Another application keeps writing our values: after three times a day it is left, counted and said.
func TestFightEnds(t *testing.T) {
	h := newHooked(t)
	h.clerk.AddOrganization("org_1", "One")
	h.work()
	h.insert("a", "org_1")
	h.clean()
	h.hook(clerktest.WebhookConfig{})
	for n := range 3 {
		h.clerk.EditMetadata("org_1", json.RawMessage(handEdited), nil)
		h.until("it is put right", func() bool { return h.claims("org_1") == certified })
		h.quiet(2 * (n + 1))
	}
	for n := range 2 {
		h.clerk.EditMetadata("org_1", json.RawMessage(handEdited), nil)
		h.until("it is given up", func() bool {
			return h.events.of(clerk.OrganizationUpdated, claimsync.EventContested) == n+1
		})
	}
	h.clean()
	if writes := len(h.clerk.Writes()); writes != 4 || h.claims("org_1") == certified {
		t.Errorf("%d writes, want 4: the push and three repairs; claims %s", writes, h.claims("org_1"))
	}
	h.setTier(0) // what changes is pushed all the same
	h.until("the change is pushed", func() bool { return strings.Contains(h.claims("org_1"), "MASTER_ROOFER") })
	h.quiet(9)
}
