package claimsync_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/claimsync/claimsync"
	"github.com/claimsync/claimsync/clerk"
	"github.com/claimsync/claimsync/clerk/clerktest"
	"github.com/claimsync/claimsync/db/dbtest"
	"github.com/claimsync/claimsync/outbox"
)

// ends is the destination between its two ends: a database and Clerk.
type ends struct {
	outbox.Destination
	t     *testing.T
	pool  *pgxpool.Pool
	clerk *clerktest.Server
}

func newEnds(t *testing.T) *ends {
	t.Helper()
	t.Parallel()
	server, client := newClerk(t, 200*time.Millisecond)
	e := &ends{t: t, pool: dbtest.New(t), clerk: server}
	sync, err := claimsync.New(claimsync.Config{Pool: e.pool, Clerk: client})
	if err != nil {
		t.Fatal(err)
	}
	e.Destination = sync.Jobs().Destinations[claimsync.Topic]
	return e
}

// newClerk is a Clerk, and a client of it whose calls take at most the timeout.
func newClerk(t *testing.T, timeout time.Duration) (*clerktest.Server, *clerk.Client) {
	t.Helper()
	server, err := clerktest.Start(clerktest.WithoutLimits())
	if err != nil {
		t.Fatal(err)
	}
	client, err := clerk.New(clerk.Config{
		SecretKey: clerktest.DefaultSecretKey, BaseURL: server.BaseURL(), Timeout: timeout,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		client.CloseIdleConnections()
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	return server, client
}

func (e *ends) exec(sql string) {
	e.t.Helper()
	if _, err := e.pool.Exec(e.t.Context(), sql); err != nil {
		e.t.Fatal(err)
	}
}

// claims is the public metadata at Clerk.
func (e *ends) claims(id string) (claims map[string]any) {
	e.t.Helper()
	at, _ := e.clerk.Organization(id)
	return claimsOf(e.t, at.PublicMetadata)
}

func claimsOf(t *testing.T, publicMetadata json.RawMessage) (claims map[string]any) {
	t.Helper()
	if err := json.Unmarshal(publicMetadata, &claims); err != nil {
		t.Fatal(err)
	}
	return claims
}

// What Clerk is to say follows the organization that is linked now, and leaves the keys of others alone.
func TestDestinationFollowsTheLink(t *testing.T) {
	e := newEnds(t)
	const id = "org_1"
	e.clerk.AddOrganization(id, "One")
	e.clerk.EditMetadata(id, json.RawMessage(`{"theirs":1}`), nil)
	steps := []struct {
		sql  string
		want map[string]any
	}{
		{
			`INSERT INTO organizations (id, name, clerk_org_id, certification_tier) VALUES ('a', 'A', 'org_1', 'CERTIFIED')`,
			map[string]any{"certification_tier": "CERTIFIED"}, // not yet calculated: no score is not a score of 0
		},
		{
			`UPDATE organizations SET compliance_score = 0, documentation_score = 0, insurance_score = 0,
				personnel_score = 0, audit_score = 0, insurance_valid = false, calculated_at = now()`,
			map[string]any{"certification_tier": "CERTIFIED", "compliance_score": 0.0, "insurance_valid": false},
		},
		{`UPDATE organizations SET clerk_org_id = NULL`, map[string]any{}},
		{
			`INSERT INTO organizations (id, name, clerk_org_id) VALUES ('b', 'B', 'org_1')`,
			map[string]any{"certification_tier": "ACCREDITED"},
		},
		{`DELETE FROM organizations WHERE id = 'b'`, map[string]any{}},
	}
	for i, step := range steps {
		e.exec(step.sql)
		receipt, err := e.Deliver(t.Context(), id, int64(i+1))
		if err != nil || receipt.Status != 200 || receipt.TraceID == "" {
			t.Fatalf("%s: %+v, %v", step.sql, receipt, err)
		}
		if linked := step.want["certification_tier"] != nil; linked != strings.Contains(fmt.Sprint(receipt.LogAttrs), "organization_id=") {
			t.Errorf("after %s, for the log: %v", step.sql, receipt.LogAttrs)
		}
		step.want["theirs"] = 1.0
		claims := e.claims(id)
		if _, timed := claims["claims_as_of"]; timed != (step.want["certification_tier"] != nil) {
			t.Errorf("after %s: %v", step.sql, claims)
		}
		delete(claims, "claims_as_of") // see TestClaimsAsOf
		if diff := cmp.Diff(step.want, claims); diff != "" {
			t.Errorf("after %s (-want +got):\n%s", step.sql, diff)
		}
	}
	e.clerk.RemoveOrganization(id)
	if _, err := e.Deliver(t.Context(), id, 9); err != nil {
		t.Errorf("neither here nor there any more: %v; there is nothing left to remove", err)
	}
}

// Verify sees whatever a front end would see, and whether it is of the version that was pushed last.
func TestDestinationVerifies(t *testing.T) {
	e := newEnds(t)
	const id = "org_1"
	e.clerk.AddOrganization(id, "One")
	e.exec(`INSERT INTO organizations (id, name, clerk_org_id, certification_tier) VALUES ('a', 'A', 'org_1', 'CERTIFIED')`)
	if _, err := e.Deliver(t.Context(), id, 3); err != nil {
		t.Fatal(err)
	}
	steps := []struct {
		name            string
		public, private json.RawMessage // nil leaves it
		sql             string
		inStep          bool
	}{
		{name: "as pushed", inStep: true},
		{name: "others' keys", public: json.RawMessage(`{"certification_tier":"CERTIFIED","theirs":1}`), inStep: true},
		{name: "an older version", private: json.RawMessage(`{"claimsync":{"version":2}}`)},
		{name: "the version again", private: json.RawMessage(`{"claimsync":{"version":3}}`), inStep: true},
		{name: "another tier", public: json.RawMessage(`{"certification_tier":"ACCREDITED"}`)},
		{name: "a score where there is none", public: json.RawMessage(`{"certification_tier":"CERTIFIED","compliance_score":5}`)},
		{name: "unlinked, and still there", sql: `UPDATE organizations SET clerk_org_id = NULL`},
		{name: "unlinked, and gone", public: json.RawMessage(`{}`), inStep: true},
	}
	for _, step := range steps {
		if step.sql != "" {
			e.exec(step.sql)
		}
		e.clerk.EditMetadata(id, step.public, step.private)
		inStep, receipt, err := e.Verify(t.Context(), id, 3)
		if err != nil || receipt.Status != 200 || inStep != step.inStep {
			t.Errorf("%s: in step %t, %+v, %v; want %t", step.name, inStep, receipt, err, step.inStep)
		}
	}
	e.clerk.RemoveOrganization(id)
	if inStep, _, err := e.Verify(t.Context(), id, 3); !inStep || err != nil {
		t.Errorf("neither here nor there: in step %t, %v", inStep, err)
	}
}

// The two packages between which the destination translates must not drift apart.
func TestDestinationFailures(t *testing.T) {
	t.Parallel()
	answer := func(status int) clerktest.Fault { return clerktest.Fault{Effect: clerktest.Answer, Status: status} }
	limited := answer(429)
	limited.RetryAfter = 7 * time.Second
	tests := map[string]struct {
		fault clerktest.Fault
		want  outbox.Failure
	}{
		"busy":        {answer(409), outbox.Failure{Action: outbox.Retry, Receipt: outbox.Receipt{Status: 409}}},
		"outage":      {answer(503), outbox.Failure{Action: outbox.Outage, Receipt: outbox.Receipt{Status: 503}}},
		"gateway":     {answer(504), outbox.Failure{Action: outbox.Outage, InDoubt: true, Receipt: outbox.Receipt{Status: 504}}},
		"rate limit":  {limited, outbox.Failure{Action: outbox.Wait, RetryAfter: 7 * time.Second, Receipt: outbox.Receipt{Status: 429}}},
		"revoked key": {answer(401), outbox.Failure{Action: outbox.Stop, Receipt: outbox.Receipt{Status: 401}}},
		"unknown":     {answer(404), outbox.Failure{Action: outbox.Missing, Receipt: outbox.Receipt{Status: 404}}},
		"refused":     {answer(422), outbox.Failure{Action: outbox.Park, Receipt: outbox.Receipt{Status: 422}}},
		"no answer":   {clerktest.Fault{Effect: clerktest.Hang}, outbox.Failure{Action: outbox.Ambiguous, InDoubt: true}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			e := newEnds(t)
			e.exec(`INSERT INTO organizations (id, name, clerk_org_id) VALUES ('a', 'A', 'org_1')`)
			e.clerk.AddOrganization("org_1", "One")
			e.clerk.SetFaults(test.fault)
			_, err := e.Deliver(t.Context(), "org_1", 1)
			failure, ok := errors.AsType[*outbox.Failure](err)
			if !ok {
				t.Fatalf("got %v, want a Failure", err)
			}
			got := *failure
			want := []slog.Attr{slog.String("organization_id", "a")}
			if id := got.Receipt.TraceID; id != "" {
				want = append(want, slog.String("clerk_trace_id", id))
			}
			if diff := cmp.Diff(want, got.Receipt.LogAttrs); diff != "" {
				t.Errorf("for the log (-want +got):\n%s", diff)
			}
			got.Err, got.Receipt.TraceID, got.Receipt.LogAttrs = nil, "", nil
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("failure (-want +got):\n%s", diff)
			}
		})
	}
}
