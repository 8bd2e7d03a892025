package main

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/claimsync/claimsync/clerk/clerktest"
	"github.com/claimsync/claimsync/db/dbtest"
)

// What is in step is pushed again: all of it, or what is named.
func TestResync(t *testing.T) {
	i := install(t, 50) // 5 of them unlinked
	c := &console{t, i.environment}
	i.serve()
	i.importAll()
	i.untilInStep()
	i.untilClean()
	before := len(i.clerk.Writes())

	got := c.object("resync", "--all", "--wait")
	want := map[string]any{"marked": 45.0, "skipped": 5.0, "unknown": []any{}, "failed": 0.0, "pushed": 45.0, "parked": 0.0}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("resync --all --wait (-want +got):\n%s", diff)
	}
	pushed := map[string]bool{}
	for _, write := range i.clerk.Writes()[before:] {
		pushed[write.Organization] = true
	}
	if len(pushed) != 45 || len(i.clerk.Writes()) != before+45 {
		t.Errorf("%d organizations pushed again, by %d pushes, want each of 45 once", len(pushed), len(i.clerk.Writes())-before)
	}
	if n := i.query(`SELECT count(*) FROM river.river_job WHERE priority = 4`); n != 2*45 { // as app import
		t.Errorf("%d jobs behind all others, want 90", n)
	}

	ours, clerks := i.organizations[0], i.organizations[1]
	if got := c.run(exitOK, "resync", ours.ID, *clerks.ClerkOrgID, ours.ID, "--wait"); got.stdout != "2 marked, 0 skipped, 2 pushed, 0 parked\n" {
		t.Errorf("two by id: %+v", got)
	}
	if n := i.query(`SELECT count(*) FROM river.river_job WHERE priority = 1`); n != 2 {
		t.Errorf("%d jobs as of live changes, want 2", n)
	}
}

// What is refused while it is waited for is told.
func TestResyncWaitsForWhatIsParked(t *testing.T) {
	i := install(t, 3)
	c := &console{t, i.environment}
	i.serve()
	i.importAll()
	i.untilInStep()
	i.untilClean()
	i.clerk.SetFaults(clerktest.Fault{Effect: clerktest.Answer, Status: 422, Organization: *i.organizations[1].ClerkOrgID})
	if got := c.run(exitFailed, "resync", "--all", "--wait"); got.stdout != "3 marked, 0 skipped, 2 pushed, 1 parked\n" {
		t.Errorf("%+v", got)
	}
}

// What cannot be pushed is said, after the others are marked. Nothing delivers here, and the wait can be interrupted.
func TestResyncNamed(t *testing.T) {
	t.Parallel()
	url := dbtest.URL(t)
	c := &console{t, []string{"DATABASE_URL=" + url}}
	execute(t, url, `INSERT INTO organizations (id, name, clerk_org_id) VALUES ('a', 'A', 'org_A'), ('b', 'B', NULL), ('c', 'C', 'org_C')`)

	got := c.run(exitFailed, "resync", "nobody", "b", "c", "a", "--json")
	const want = `{"marked":2,"skipped":1,"unknown":["nobody"],"failed":0}` + "\n"
	const complaints = "app: b: skipped, it is not linked to Clerk\napp: nobody: no such organization\n"
	if got.stdout != want || got.stderr != complaints {
		t.Errorf("%+v", got)
	}
	if n := query(t, url, `SELECT count(*) FROM outbox JOIN river.river_job ON id = job_id WHERE priority = 1`); n != 2 {
		t.Errorf("%d are to be pushed, want 2", n)
	}
	if got := c.run(exitOK, "resync", "b", "--wait"); got.stdout != "0 marked, 1 skipped, 0 pushed, 0 parked\n" {
		t.Errorf("nothing to push: %+v", got)
	}

	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	waiting := runApp(t, ctx, "", c.environment, "resync", "a", "--wait")
	if waiting.code != exitFailed || !strings.Contains(waiting.stderr, "waiting for the pushes: interrupted (they go on all the same)") {
		t.Errorf("interrupted: %+v", waiting)
	}
}
