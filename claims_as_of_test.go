package claimsync_test

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/claimsync/claimsync"
	"github.com/claimsync/claimsync/clerk"
	"github.com/claimsync/claimsync/clerk/claims"
	"github.com/claimsync/claimsync/clerk/clerktest"
	"github.com/claimsync/claimsync/scoring"
)

// asOf is the claims_as_of that Clerk has; the zero time: none.
func asOf(t *testing.T, server *clerktest.Server, id string) time.Time {
	t.Helper()
	at, _ := server.Organization(id)
	text, _ := claimsOf(t, at.PublicMetadata)["claims_as_of"].(string)
	if text == "" {
		return time.Time{}
	}
	parsed, err := time.Parse("2006-01-02T15:04:05Z", text) // UTC and seconds, nothing else
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

func (e *ends) clock() (now time.Time) {
	e.t.Helper()
	if err := e.pool.QueryRow(e.t.Context(), "SELECT clock_timestamp()").Scan(&now); err != nil {
		e.t.Fatal(err)
	}
	return now
}

// Each push says when its values were read; what is removed has no such time.
func TestClaimsAsOf(t *testing.T) {
	e := newEnds(t)
	e.clerk.AddOrganization("org_1", "One")
	e.exec(`INSERT INTO organizations (id, name, clerk_org_id) VALUES ('a', 'A', 'org_1')`)
	before := e.clock().Truncate(time.Second)
	receipt, err := e.Deliver(t.Context(), "org_1", 1)
	if err != nil {
		t.Fatal(err)
	}
	if got := asOf(t, e.clerk, "org_1"); got.Before(before) || got.After(e.clock()) {
		t.Errorf("as of %s, pushed between %s and %s", got, before, e.clock())
	}
	if applied := claimsOf(t, receipt.Applied); applied["claims_as_of"] == nil {
		t.Errorf("the receipt does not have it: %s", receipt.Applied)
	}
	e.exec(`UPDATE organizations SET clerk_org_id = NULL`)
	if _, err := e.Deliver(t.Context(), "org_1", 2); err != nil {
		t.Fatal(err)
	}
	if at, _ := e.clerk.Organization("org_1"); string(at.PublicMetadata) != "{}" {
		t.Errorf("left after it was unlinked: %s", at.PublicMetadata)
	}
}

// The time is one before the values were read, however long that took: what was committed by then is in them.
func TestClaimsAsOfIsNotTooNew(t *testing.T) {
	e := newEnds(t)
	e.clerk.AddOrganization("org_1", "One")
	e.exec(`INSERT INTO organizations (id, name, clerk_org_id) VALUES ('a', 'A', 'org_1')`)
	tx, err := e.pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(t.Context()) }()
	if _, err := e.Deliver(t.Context(), "org_1", 1); err != nil { // the query is prepared then: only to be executed does it wait
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), "LOCK TABLE organizations"); err != nil {
		t.Fatal(err)
	}
	delivered := make(chan error, 1)
	go func() { _, err := e.Deliver(t.Context(), "org_1", 2); delivered <- err }()
	const waiting = `SELECT count(*) > 0 FROM pg_locks JOIN pg_database ON oid = database WHERE NOT granted AND datname = current_database()`
	for waits := false; !waits; time.Sleep(time.Millisecond) { // asked where the lock is held: the other connection is for the delivery
		if err := tx.QueryRow(t.Context(), waiting).Scan(&waits); err != nil {
			t.Fatal(err)
		}
	}
	begun := e.clock()
	time.Sleep(1100 * time.Millisecond) // so that a second has passed for sure
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-delivered; err != nil {
		t.Fatal(err)
	}
	if got := asOf(t, e.clerk, "org_1"); got.IsZero() || got.After(begun) {
		t.Errorf("as of %s, which is after %s, when it was begun to be read", got, begun)
	}
}

// Whatever Clerk has under claims_as_of, the organization is in step if its values are: one that was pushed by an older version,
// or whose time somebody edited. The next push puts it right.
func TestClaimsAsOfIsNotCompared(t *testing.T) {
	t.Parallel()
	d := newDrifting(t)
	d.work()
	d.create("a")
	d.synced()
	pushed := asOf(t, d.clerk, "org_a")
	writes := len(d.clerk.Writes())
	at, _ := d.clerk.Organization("org_a")
	for name, edit := range map[string]any{
		"none": nil, "an old one": "2020-01-01T00:00:00Z", "one of the future": "2999-01-01T00:00:00Z", "no time": 5, "an object": map[string]any{},
	} {
		public := claimsOf(t, at.PublicMetadata)
		public["claims_as_of"] = edit
		if edit == nil {
			delete(public, "claims_as_of")
		}
		edited, err := json.Marshal(public)
		d.must(err)
		d.edit("a", string(edited))
		if report := d.check(repairing); report.Drifted != 0 || report.InStep != 1 {
			t.Errorf("%s: drift: %+v", name, report)
		}
		if found, err := d.sync.Compare(t.Context(), "a"); err != nil || len(found.Differences) > 0 {
			t.Errorf("%s: compared: %+v, %v", name, found, err)
		}
		destination := d.sync.Jobs().Destinations[claimsync.Topic]
		if inStep, _, err := destination.Verify(t.Context(), "org_a", 1); !inStep || err != nil {
			t.Errorf("%s: read back: in step %t, %v", name, inStep, err)
		}
		event := clerk.Event{ID: "msg_" + name, Type: clerk.OrganizationUpdated, At: time.Now(), Organization: d.organization("org_a")}
		if outcome, err := d.sync.HandleEvent(t.Context(), d.waker, event); outcome != claimsync.EventUnchanged || err != nil {
			t.Errorf("%s: the event: %s, %v", name, outcome, err)
		}
	}
	if got := len(d.clerk.Writes()); got != writes {
		t.Errorf("%d writes", got-writes)
	}
	d.tier("a", scoring.MasterRoofer)
	d.synced()
	if got := asOf(t, d.clerk, "org_a"); got.Before(pushed) || got.After(time.Now().Add(time.Minute)) {
		t.Errorf("after the next push: %s", got)
	}
}

// organization is what Clerk has, as a client sees it.
func (d *drifting) organization(id string) clerk.Organization {
	d.t.Helper()
	client := newHookedClient(d.t, d.clerk, d.lists)
	d.t.Cleanup(client.CloseIdleConnections)
	found, _, err := client.Organization(d.t.Context(), id)
	d.must(err)
	return found
}

// From Postgres to who decides by it: the token has the values and their time; one that Clerk mints from what it had before is
// seen to be older.
func TestClaimsReachTheReader(t *testing.T) {
	t.Parallel()
	d := newDrifting(t)
	d.work()
	d.create("a")
	d.synced()
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	verifier, err := claims.NewVerifier(claims.Config{
		Issuer: clerktest.Issuer, AuthorizedParties: []string{"http://localhost:3000"},
		Keys: claims.JWKS(d.clerk.BaseURL() + "/jwks"), HTTPClient: &http.Client{Transport: transport},
	})
	d.must(err)
	read := func(request clerktest.TokenRequest) *claims.Claims {
		t.Helper()
		request.Organization = "org_a"
		token, err := d.clerk.MintToken(request)
		d.must(err)
		c, err := verifier.Verify(t.Context(), token)
		d.must(err)
		return c
	}
	first := read(clerktest.TokenRequest{})
	if *first.Tier != claims.Certified || first.Score == nil || *first.InsuranceValid || first.AsOf == nil {
		t.Fatalf("at first: %+v", first)
	}
	d.until("a second has passed", func() bool { return d.is("SELECT clock_timestamp() >= $1", first.AsOf.Add(time.Second)) })
	d.tier("a", scoring.MasterRoofer)
	d.synced()
	changed, behind := read(clerktest.TokenRequest{}), read(clerktest.TokenRequest{ChangesAgo: 1})
	if *changed.Tier != claims.MasterRoofer || !changed.AsOf.After(*first.AsOf) {
		t.Errorf("after a change: %+v, as of %s", changed, changed.AsOf)
	}
	if *behind.Tier != claims.Certified || !behind.AsOf.Equal(*first.AsOf) {
		t.Errorf("by a token that is behind: %+v, as of %s", behind, behind.AsOf)
	}
}
