package main

import (
	"strings"
	"testing"

	"github.com/claimsync/claimsync/db/dbtest"
)

// parkedOf imports organizations a, b, … and parks them, each for the reason given.
func parkedOf(t *testing.T, reasons ...string) (*console, string) {
	t.Helper()
	t.Parallel()
	url := dbtest.URL(t)
	c := &console{t, []string{"DATABASE_URL=" + url}}
	for i, reason := range reasons {
		id := string(rune('a' + i))
		line := `{"id":"` + id + `","name":"N","clerk_org_id":"org_` + id + `","certification_tier":"CERTIFIED"}`
		if got := runApp(t, t.Context(), line, c.environment, "import", "-"); got.code != exitOK {
			t.Fatalf("%+v", got)
		}
		query(t, url, `WITH parked AS (UPDATE outbox SET job_id = NULL, parked_at = clock_timestamp(), parked_reason = '`+reason+`'
			WHERE key = 'org_`+id+`' RETURNING 1) SELECT count(*) FROM parked`)
	}
	query(t, url, `WITH done AS (DELETE FROM river.river_job RETURNING 1) SELECT count(*) FROM done`)
	return c, url
}

// unparked counts what is to be pushed.
const unparked = `SELECT count(*) FROM outbox JOIN river.river_job ON id = job_id WHERE parked_at IS NULL`

// What cannot be redriven is named, and the others are.
func TestRedriveNamed(t *testing.T) {
	c, url := parkedOf(t, "park 422", "park 422", "missing 404", "park 422")
	query(t, url, `WITH u AS (UPDATE organizations SET clerk_org_id = NULL WHERE id = 'c' RETURNING 1) SELECT count(*) FROM u`)
	got := c.run(exitFailed, "redrive", "a", "org_b", "org_c", "c", "nobody", "org_nobody", "a", "--json")
	const want = `{"redriven":3,"refused":{"c":"is not linked to Clerk","nobody":"no such organization",` +
		`"org_nobody":"no such organization"}}`
	if strings.TrimSpace(got.stdout) != want {
		t.Errorf("got %s, want %s", got.stdout, want)
	}
	const complaints = "app: c: is not linked to Clerk\napp: nobody: no such organization\napp: org_nobody: no such organization\n"
	if got.stderr != complaints {
		t.Errorf("stderr:\n%s", got.stderr)
	}
	if n := query(t, url, unparked+` AND priority = 1`); n != 3 {
		t.Errorf("%d are to be pushed again with a live change's priority, want 3", n)
	}
	if got := c.run(exitFailed, "redrive", "a"); got.stdout != "0 redriven\n" || got.stderr != "app: a: is not parked\n" {
		t.Errorf("a second time: %+v", got)
	}
	c.says("why org_c", "Clerk's org_c, to which no organization is linked any more and whose claims are to go, is dirty")
}

func TestRedriveAll(t *testing.T) {
	c, url := parkedOf(t, "park 422", "park 422", "missing 404", "park 422")
	c.says("status", `Parked: 3 for "park 422", 1 for "missing 404".`)
	if got := c.run(exitOK, "redrive", "--all", "--reason=park 400"); got.stdout != "0 redriven\n" ||
		!strings.Contains(got.stderr, `nothing is parked for "park 400"`) {
		t.Errorf("a reason that nothing is parked for: %+v", got)
	}
	if got := c.run(exitOK, "redrive", "--all", "--reason=missing 404"); got.stdout != "1 redriven\n" {
		t.Errorf("one reason: %+v", got)
	}
	if got := c.object("redrive", "--all"); got["redriven"] != 3.0 {
		t.Errorf("all: %v", got)
	}
	if n := query(t, url, unparked+` AND priority = 4`); n != 4 {
		t.Errorf("%d are to be pushed again after what is more urgent, want 4", n)
	}
}
