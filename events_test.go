package claimsync_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/claimsync/claimsync"
	"github.com/claimsync/claimsync/clerk"
	"github.com/claimsync/claimsync/clerk/clerktest"
)

// An update is compared with what Clerk is to say, and read back if it differs: unless our last push went over it, or
// there is nothing to compare with.
func TestUpdateIsCompared(t *testing.T) {
	t.Parallel()
	const unchanged, suspected = claimsync.EventUnchanged, claimsync.EventSuspected
	const foreign = `,"public_metadata":{"certification_tier":"GOLD"}`
	ours := `,"public_metadata":{"certification_tier":"CERTIFIED","compliance_score":5,"insurance_valid":false,"theirs":1}`
	tests := map[string]struct {
		members string
		before  string // SQL
		want    claimsync.EventOutcome
		age     time.Duration // 0: it does not say when it was
	}{
		"as it should be":               {ours, "", unchanged, 0},
		"another tier":                  {foreign, "", suspected, 0},
		"nothing of ours":               {`,"public_metadata":{}`, "", suspected, 0},
		"malformed":                     {strings.Replace(ours, "5", `"5"`, 1), "", suspected, 0},
		"of this moment":                {foreign, "", suspected, time.Millisecond},
		"older than our push, a little": {foreign, "", suspected, 50 * time.Second},
		"older than our push, clearly":  {foreign, "", unchanged, 70 * time.Second},
		"of no time":                    {foreign + `,"updated_at":0`, "", suspected, 0},
		"a push to come":                {foreign, `UPDATE outbox SET desired_version = 2, dirty_since = now()`, unchanged, 0},
		"unlinked, with claims":         {ours, `UPDATE organizations SET clerk_org_id = NULL`, suspected, 0},
		"unlinked, without":             {`,"public_metadata":{"theirs":1}`, `UPDATE organizations SET clerk_org_id = NULL`, unchanged, 0},
		"contested": {foreign, `INSERT INTO outbox_delivery (topic, key, version, outcome, duration)
			SELECT topic, key, 1, 'overwritten', '0' FROM outbox, generate_series(1, 3)`, claimsync.EventContested, 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			h := newHooked(t)
			h.synced("a", "org_1")
			if test.before != "" {
				h.exec(test.before)
			}
			members := test.members
			if test.age > 0 { // reckoned here: how long the tests before it took is no part of it
				members += fmt.Sprintf(`,"updated_at":%d`, time.Now().Add(-test.age).UnixMilli())
			}
			h.expect(h.about(clerk.OrganizationUpdated, "org_1", members), test.want)
			readBack := test.want == suspected
			if got := h.is(`SELECT verify_at IS NOT NULL AND job_id IS NOT NULL AND job_priority = 3 FROM outbox`); got != readBack {
				t.Errorf("to be read back: %t", got)
			}
			if warned := strings.Contains(h.log.String(), "again and again"); warned != (test.want == claimsync.EventContested) {
				t.Errorf("warned: %t", warned)
			}
			if h.is(`SELECT max(desired_version) > 1 AND max(dirty_since) > now() FROM outbox`) {
				t.Error("it was marked")
			}
		})
	}
}

// Ours is unlinked from what Clerk has deleted, and from nothing else.
func TestDeletedUnlinks(t *testing.T) {
	h := newHooked(t)
	h.synced("a", "org_1")
	h.synced("b", "org_2")
	h.expect(h.about(clerk.OrganizationDeleted, "org_1", `,"deleted":true`), claimsync.EventUnlinked)
	h.expect(h.about(clerk.OrganizationDeleted, "org_1", `,"deleted":true`), claimsync.EventUnchanged)
	h.expect(h.about(clerk.OrganizationDeleted, "org_3", ``), claimsync.EventUnchanged)
	if got := h.linked(); got != "b to org_2" {
		t.Errorf("linked: %s", got)
	}
	if !h.is(`SELECT count(*) = 1 FROM outbox WHERE key = 'org_1' AND dirty_since IS NOT NULL AND job_id IS NOT NULL`) {
		t.Error("the old key is not marked")
	}
	late := h.about(clerk.OrganizationUpdated, "org_1", `,"public_metadata":{"certification_tier":"CERTIFIED"}`)
	h.exec(`UPDATE outbox SET synced_version = desired_version, dirty_since = NULL, job_id = NULL`)
	h.expect(late, claimsync.EventUnchanged) // what is gone says nothing any more
}

// An event is handled once, also if it comes several times at once, or Clerk has to be asked first.
func TestDuplicates(t *testing.T) {
	t.Parallel()
	const senders = 8
	for name, members := range map[string]string{"told": `,"private_metadata":{"external_id":"a"}`, "asked": ""} {
		t.Run(name, func(t *testing.T) {
			h := newHooked(t)
			h.insert("a", "")
			h.atClerk("org_1", `{"external_id":"a"}`)
			event := h.about(clerk.OrganizationCreated, "org_1", members)
			outcomes := make(chan claimsync.EventOutcome, senders)
			var sending sync.WaitGroup
			for range senders {
				sending.Go(func() {
					outcome, err := h.sync.HandleEvent(t.Context(), h.waker, event)
					if err != nil {
						t.Error(err)
					}
					outcomes <- outcome
				})
			}
			sending.Wait()
			close(outcomes)
			counts := map[claimsync.EventOutcome]int{}
			for outcome := range outcomes {
				counts[outcome]++
			}
			want := map[claimsync.EventOutcome]int{claimsync.EventLinked: 1, claimsync.EventDuplicate: senders - 1}
			if diff := cmp.Diff(want, counts); diff != "" {
				t.Errorf("outcomes (-want +got):\n%s", diff)
			}
			before := h.reads()
			h.link("a", nil)
			h.expect(event, claimsync.EventDuplicate) // later, and not undoing what was done since
			if h.reads() != before || h.linked() != "" {
				t.Errorf("a duplicate: %d reads, linked: %s", h.reads()-before, h.linked())
			}
		})
	}
}

// If the effects cannot be committed, neither is the event: sent again, it is handled.
func TestFailedEventIsHandledOnRetry(t *testing.T) {
	h := newHooked(t)
	h.insert("a", "")
	h.synced("b", "org_2")
	h.synced("c", "org_3")
	for _, step := range []struct {
		event clerk.Event
		want  claimsync.EventOutcome
	}{
		{h.naming(clerk.OrganizationCreated, "org_1", "a"), claimsync.EventLinked},
		{h.about(clerk.OrganizationUpdated, "org_2", ""), claimsync.EventSuspected},
		{h.about(clerk.OrganizationDeleted, "org_3", ""), claimsync.EventUnlinked},
	} {
		const state = `SELECT md5(string_agg(t::text, ' ' ORDER BY t::text)) FROM (
			SELECT o::text FROM organizations AS o UNION ALL SELECT b::text FROM outbox AS b UNION ALL SELECT e::text FROM clerk_event AS e
		) AS t`
		before := h.text(state)
		if outcome, err := h.sync.HandleEvent(t.Context(), brokenWaker{}, step.event); err == nil {
			t.Fatalf("%s: %s though no job could be inserted", step.event.Type, outcome)
		}
		if h.text(state) != before {
			t.Errorf("%s left something behind", step.event.Type)
		}
		h.expect(step.event, step.want)
		h.expect(step.event, claimsync.EventDuplicate)
	}
}

// An event that links and one that says it is gone, at the same time: whichever is handled first, it ends unlinked.
func TestDeletedWhileLinking(t *testing.T) {
	h := newHooked(t)
	h.insert("a", "")
	row, err := h.pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = row.Rollback(t.Context()) }()
	if _, err := row.Exec(t.Context(), `SELECT FROM organizations WHERE id = 'a' FOR UPDATE`); err != nil {
		t.Fatal(err)
	}
	created, deleted := h.naming(clerk.OrganizationCreated, "org_1", "a"), h.about(clerk.OrganizationDeleted, "org_1", "")
	var handling sync.WaitGroup
	handled := make(chan struct{})
	handling.Go(func() { h.expect(created, claimsync.EventLinked) })
	h.until("the one that links waits for the row", func() bool { return h.waiting() == 1 })
	handling.Go(func() {
		h.expect(deleted, claimsync.EventUnlinked)
		close(handled)
	})
	h.until("the other waits for it", func() bool {
		select {
		case <-handled:
			return true
		default:
			return h.waiting() == 2
		}
	})
	if err := row.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	handling.Wait()
	if got := h.linked(); got != "" {
		t.Errorf("linked to what is gone: %s", got)
	}
}

// What is linked by hand while an event does is left so.
func TestLinkedWhileLinking(t *testing.T) {
	h := newHooked(t)
	h.insert("a", "")
	h.insert("b", "")
	other, err := h.pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Rollback(t.Context()) }()
	if _, err := other.Exec(t.Context(), `UPDATE organizations SET clerk_org_id = 'org_1' WHERE id = 'b'`); err != nil {
		t.Fatal(err)
	}
	event := h.naming(clerk.OrganizationCreated, "org_1", "a")
	var handling sync.WaitGroup
	handling.Go(func() { h.expect(event, claimsync.EventConflict) })
	h.until("it waits for who else links", func() bool { return h.waiting() == 1 })
	if err := other.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	handling.Wait()
	h.expect(event, claimsync.EventDuplicate)
	if got := h.linked(); got != "b to org_1" {
		t.Errorf("linked: %s", got)
	}
}

// What is linked elsewhere while its old Clerk organization is said to be gone stays linked there.
func TestRelinkedWhileUnlinking(t *testing.T) {
	h := newHooked(t)
	h.synced("a", "org_1")
	other, err := h.pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Rollback(t.Context()) }()
	if _, err := other.Exec(t.Context(), `UPDATE organizations SET clerk_org_id = 'org_2' WHERE id = 'a'`); err != nil {
		t.Fatal(err)
	}
	var handling sync.WaitGroup
	event := h.about(clerk.OrganizationDeleted, "org_1", "")
	handling.Go(func() { h.expect(event, claimsync.EventUnchanged) })
	h.until("it waits for who else links", func() bool { return h.waiting() == 1 })
	if err := other.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	handling.Wait()
	if got := h.linked(); got != "a to org_2" {
		t.Errorf("linked: %s", got)
	}
}

// Types that say nothing to us need nothing: not even a database.
func TestOtherTypes(t *testing.T) {
	h := newHooked(t)
	h.pool.Close()
	status, err := clerktest.Webhook{Body: []byte(`{"type":"user.created","data":{"id":"user_1"}}`)}.Send(t.Context(), h.url)
	if err != nil || status != 204 {
		t.Fatalf("%d, %v", status, err)
	}
	if diff := cmp.Diff(map[string]int{"other ignored": 1}, h.events.counts()); diff != "" {
		t.Errorf("counted (-want +got):\n%s", diff)
	}
}

// An event that cannot be handled is counted, and one that is not Clerk's.
func TestEventsAreCounted(t *testing.T) {
	h := newHooked(t)
	h.insert("a", "")
	body := `{"type":"organization.created","data":{"id":"org_1"}}`
	h.clerk.SetFaults(clerktest.Fault{Effect: clerktest.Answer, Status: 500, Count: 1})
	h.atClerk("org_1", `{"external_id":"a"}`)
	for _, test := range []struct {
		webhook clerktest.Webhook
		status  int
	}{
		{clerktest.Webhook{ID: "msg_1", Body: []byte(body)}, 503},
		{clerktest.Webhook{ID: "msg_1", Body: []byte(body)}, 204},
		{clerktest.Webhook{ID: "msg_1", Body: []byte(body)}, 204},
		{clerktest.Webhook{ID: "msg_1", Body: []byte(body), SentAt: time.Now().Add(-6 * time.Minute)}, 401},
		{clerktest.Webhook{Body: []byte(body), Secrets: []string{"whsec_b3RoZXI="}}, 401},
		{clerktest.Webhook{Body: []byte(`{"type":"organization.created"}`)}, 400},
	} {
		if status, err := test.webhook.Send(t.Context(), h.url); err != nil || status != test.status {
			t.Errorf("%+v: %d, %v, want %d", test.webhook, status, err, test.status)
		}
	}
	want := map[string]int{
		"organization.created failed": 1, "organization.created linked": 1, "organization.created duplicate": 1,
		"other refused": 3,
	}
	if diff := cmp.Diff(want, h.events.counts()); diff != "" {
		t.Errorf("counted (-want +got):\n%s", diff)
	}
}

// The database is the only thing that an event may not do without.
func TestEventWithoutDatabase(t *testing.T) {
	h := newHooked(t)
	h.pool.Close()
	_, err := h.sync.HandleEvent(t.Context(), h.waker, h.about(clerk.OrganizationDeleted, "org_1", ""))
	if err == nil || errors.As(err, new(*clerk.Error)) || errors.Is(err, pgx.ErrNoRows) {
		t.Errorf("%v", err)
	}
}
