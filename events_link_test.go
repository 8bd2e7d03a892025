package claimsync_test

import (
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/claimsync/claimsync"
	"github.com/claimsync/claimsync/clerk"
	"github.com/claimsync/claimsync/clerk/clerktest"
	"github.com/claimsync/claimsync/outbox"
)

// atClerk adds an organization with private metadata to the emulator.
func (h *hooked) atClerk(id, private string) {
	h.t.Helper()
	h.clerk.AddOrganization(id, id)
	if !h.clerk.EditMetadata(id, nil, json.RawMessage(private)) {
		h.t.Fatalf("%s is not JSON", private)
	}
}

// What links, what does not, and for what Clerk is asked.
func TestLinkRule(t *testing.T) {
	t.Parallel()
	created, updated := clerk.OrganizationCreated, clerk.OrganizationUpdated
	told := func(private string) string { return `,"private_metadata":` + private }
	tests := map[string]struct {
		kind    clerk.EventType
		members string
		before  func(h *hooked)
		linkKey string
		want    claimsync.EventOutcome
		reads   int
	}{
		"told":                     {created, told(`{"external_id":"a"}`), nil, "", claimsync.EventLinked, 0},
		"asked":                    {created, "", nil, "", claimsync.EventLinked, 1},
		"null is not told":         {created, told(`null`), nil, "", claimsync.EventLinked, 1},
		"told nothing":             {created, told(`{}`), nil, "", claimsync.EventUnchanged, 0},
		"an update, told":          {updated, told(`{"external_id":"a"}`), nil, "", claimsync.EventLinked, 0},
		"an update, asked":         {updated, "", nil, "", claimsync.EventLinked, 1},
		"another key":              {created, told(`{"external_id":"none","our_id":"a"}`), nil, "our_id", claimsync.EventLinked, 0},
		"no key":                   {created, "", nil, claimsync.NoLink, claimsync.EventUnchanged, 0},
		"no such organization":     {created, told(`{"external_id":"none"}`), nil, "", claimsync.EventUnchanged, 0},
		"not an id":                {created, told(`{"external_id":"a\u0000b"}`), nil, "", claimsync.EventUnchanged, 0},
		"a number":                 {created, told(`{"external_id":7}`), nil, "", claimsync.EventUnchanged, 0},
		"ours is linked elsewhere": {created, told(`{"external_id":"b"}`), nil, "", claimsync.EventConflict, 0},
		"Clerk's is linked": {created, told(`{"external_id":"a"}`), func(h *hooked) { h.insert("c", "org_1") },
			"", claimsync.EventUnchanged, 0},
		"Clerk's is linked by a foreign writer": {created, told(`{"external_id":"a"}`), func(h *hooked) {
			h.exec(`INSERT INTO organizations (id, name, clerk_org_id) VALUES ('c', 'C', 'org_1')`)
		}, "", claimsync.EventUnchanged, 0},
		"Clerk's was unlinked by hand": {updated, "", func(h *hooked) {
			h.insert("c", "org_1")
			h.link("c", nil)
		}, "", claimsync.EventUnchanged, 0},
		"created late, unlinked by hand": {created, told(`{"external_id":"a"}`), func(h *hooked) {
			h.link("a", new("org_1"))
			h.link("a", nil)
		}, "", claimsync.EventUnchanged, 0},
		"Clerk's is gone, told": {created, told(`{"external_id":"a"}`), func(h *hooked) {
			h.expect(h.about(clerk.OrganizationDeleted, "org_1", ""), claimsync.EventUnchanged)
		}, "", claimsync.EventUnchanged, 0},
		"Clerk's is gone, known": {created, "", func(h *hooked) {
			h.expect(h.about(clerk.OrganizationDeleted, "org_1", ""), claimsync.EventUnchanged)
		}, "", claimsync.EventUnchanged, 0},
		"Clerk's is gone, asked": {created, "", func(h *hooked) { h.clerk.RemoveOrganization("org_1") },
			"", claimsync.EventUnchanged, 1},
		"nothing is left to link": {created, "", func(h *hooked) { h.link("a", new("org_9")) }, "", claimsync.EventUnchanged, 0},
		"an id too long for ours": {created, told(`{"external_id":"a"}`), nil, "", claimsync.EventUnchanged, 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			h := newHooked(t, func(c *claimsync.Config) { c.LinkKey = test.linkKey })
			h.insert("a", "")
			h.insert("b", "org_2")
			h.atClerk("org_1", `{"external_id":"a"}`)
			if test.before != nil {
				test.before(h)
			}
			before, key := h.linked(), "org_1"
			if strings.Contains(name, "too long") {
				key = "org_" + strings.Repeat("1", 129)
			}
			h.expect(h.about(test.kind, key, test.members), test.want)
			want := before
			if test.want == claimsync.EventLinked {
				want = "a to org_1, b to org_2"
			}
			if got := h.linked(); got != want {
				t.Errorf("linked: %s, want %s", got, want)
			}
			if got := h.reads(); got != test.reads {
				t.Errorf("Clerk was asked %d times, want %d", got, test.reads)
			}
			marked := h.is(`SELECT count(*) = 1 FROM outbox WHERE key = 'org_1' AND job_id IS NOT NULL AND desired_version = 1`)
			if test.want == claimsync.EventLinked && !marked {
				t.Error("linked, and nothing will push it")
			}
			if warned := strings.Contains(h.log.String(), "not linked"); warned != (test.want == claimsync.EventConflict) {
				t.Errorf("warned: %t", warned)
			}
		})
	}
}

// A duplicate is known as one before Clerk is asked again.
func TestDuplicateAsksNobody(t *testing.T) {
	h := newHooked(t)
	h.insert("a", "")
	h.atClerk("org_1", `{}`)
	event := h.about(clerk.OrganizationUpdated, "org_1", "")
	h.expect(event, claimsync.EventUnchanged)
	h.expect(event, claimsync.EventDuplicate)
	if got := h.reads(); got != 1 {
		t.Errorf("Clerk was asked %d times, want once", got)
	}
}

// A Clerk that fails, or that may not be called, leaves the event to be sent again.
func TestLinkNeedsClerk(t *testing.T) {
	t.Parallel()
	answer := func(status int, wait time.Duration) clerktest.Fault {
		return clerktest.Fault{Effect: clerktest.Answer, Status: status, RetryAfter: wait}
	}
	tests := map[string]struct {
		fault   clerktest.Fault
		before  func(h *hooked) error
		action  clerk.Action
		reads   int
		blocked bool
	}{
		"outage":    {fault: answer(503, 0), action: clerk.Outage, reads: 1},
		"told when": {fault: answer(503, time.Minute), action: clerk.Outage, reads: 1, blocked: true},
		"limited":   {fault: answer(429, time.Minute), action: clerk.Wait, reads: 1, blocked: true},
		"refused":   {fault: answer(401, 0), action: clerk.Stop, reads: 1},
		"silence":   {fault: clerktest.Fault{Effect: clerktest.Hang}, action: clerk.Outage, reads: 1},
		"blocked": {before: func(h *hooked) error {
			return h.sync.Outbox().Block(h.t.Context(), h.pool, claimsync.Topic, time.Minute, "429")
		}, action: clerk.Retry, blocked: true},
		"breaker": {before: func(h *hooked) error {
			_, err := h.sync.Outbox().Open(h.t.Context(), h.pool, h.waker, claimsync.Topic, "by hand")
			return err
		}, action: clerk.Retry},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			h := newHooked(t)
			h.insert("a", "")
			h.atClerk("org_1", `{"external_id":"a"}`)
			if test.fault.Effect != clerktest.None {
				h.clerk.SetFaults(test.fault)
			}
			if test.before != nil {
				if err := test.before(h); err != nil {
					t.Fatal(err)
				}
			}
			event := h.about(clerk.OrganizationCreated, "org_1", "")
			_, err := h.sync.HandleEvent(t.Context(), h.waker, event)
			var failed *clerk.Error
			if !errors.As(err, &failed) || failed.Action != test.action {
				t.Fatalf("%v, want %s", err, test.action)
			}
			if got := h.reads(); got != test.reads {
				t.Errorf("Clerk was asked %d times, want %d", got, test.reads)
			}
			if got := h.is(`SELECT coalesce(bool_or(blocked_until > clock_timestamp() + interval '50 s'), false) FROM destination`); got != test.blocked {
				t.Errorf("everybody waits: %t", got)
			}
			h.clerk.ClearFaults()
			h.exec(`DELETE FROM destination`)
			h.expect(event, claimsync.EventLinked)
		})
	}
}

// Asking takes its turn with the pushes, one at a time per process, and does not begin when all have been told to wait.
func TestAskingTakesATurn(t *testing.T) {
	h := newHooked(t, func(c *claimsync.Config) { c.RateLimit = 5 }) // four in 10.3 s
	h.insert("a", "")
	h.insert("b", "")
	h.atClerk("org_1", `{"external_id":"a"}`)
	h.atClerk("org_2", `{"external_id":"b"}`)
	h.expect(h.about(clerk.OrganizationCreated, "org_1", ""), claimsync.EventLinked)
	if !h.is(`SELECT tat BETWEEN clock_timestamp() + interval '1 s' AND clock_timestamp() + interval '2.6 s' FROM destination`) {
		t.Error("no slot of the budget was used")
	}
	var asking sync.WaitGroup
	defer asking.Wait()
	for range 3 {
		event := h.about(clerk.OrganizationCreated, "org_2", "")
		asking.Go(func() {
			if _, err := h.sync.HandleEvent(t.Context(), h.waker, event); !errors.As(err, new(*clerk.Error)) {
				t.Errorf("it called though everybody was told to wait: %v", err)
			}
		})
	}
	h.until("the second has reserved its slot", func() bool {
		return h.is(`SELECT tat > clock_timestamp() + interval '2.7 s' FROM destination`)
	})
	err := h.sync.Outbox().Block(t.Context(), h.pool, claimsync.Topic, time.Minute, "429")
	if err != nil {
		t.Fatal(err)
	}
	asking.Wait()
	if got := h.reads(); got != 1 {
		t.Errorf("Clerk was asked %d times, want once", got)
	}
	if !h.is(`SELECT tat < clock_timestamp() + interval '5.2 s' FROM destination`) {
		t.Error("several slots were reserved ahead")
	}
}

// What follows is only spare calls for an update: somebody waits for what was created, and nobody for most updates.
func TestUpdateAsksWithSpareCalls(t *testing.T) {
	h := newHooked(t, func(c *claimsync.Config) { c.RateLimit = 5 })
	h.insert("a", "")
	h.atClerk("org_1", `{"external_id":"a"}`)
	h.exec(`INSERT INTO destination (topic, tat) VALUES ($1, clock_timestamp() + interval '1 minute')`, claimsync.Topic)
	_, err := h.sync.HandleEvent(t.Context(), h.waker, h.about(clerk.OrganizationUpdated, "org_1", ""))
	if !errors.As(err, new(*clerk.Error)) || h.is(`SELECT tat > clock_timestamp() + interval '1 minute' FROM destination`) {
		t.Errorf("%v: a slot was reserved ahead of a backlog", err)
	}
}

var _ outbox.Waker = brokenWaker{}
