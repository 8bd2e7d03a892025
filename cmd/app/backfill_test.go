package main

import (
	"fmt"
	"strings"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/claimsync/claimsync/db/dbtest"
	"github.com/claimsync/claimsync/internal/proctest"
)

// execute runs statements.
func execute(t *testing.T, url string, statements ...string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	for _, statement := range statements {
		if _, err := conn.Exec(t.Context(), statement); err != nil {
			t.Fatalf("%v in %s", err, statement)
		}
	}
}

// slowWalk is a database of which each calculation is counted, and takes a while: a step of 200 a second.
func slowWalk(t *testing.T) (*console, string) {
	t.Helper()
	t.Parallel()
	url := dbtest.URL(t)
	execute(t, url,
		`INSERT INTO organizations (id, name, clerk_org_id) SELECT 'o' || i, 'N', 'org_' || i FROM generate_series(1, 900) AS i`,
		`CREATE TABLE calculation (id text)`,
		`CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS
			$$ BEGIN INSERT INTO calculation VALUES (NEW.id); PERFORM pg_sleep(0.005); RETURN NULL; END $$`,
		`CREATE TRIGGER note AFTER UPDATE ON organizations FOR EACH ROW EXECUTE FUNCTION note()`)
	return &console{t, []string{"DATABASE_URL=" + url}}, url
}

// begin starts the walk as a process, and returns in the middle of a step that is not the first.
func (c *console) begin(url string) *proctest.Process {
	c.t.Helper()
	p := startApp(c.t, c.environment, "recalculate", "--all")
	c.until("a step is done and another under way", func() bool {
		return query(c.t, url, `SELECT count(*) FROM pg_stat_activity, backfill
			WHERE done >= 200 AND datname = current_database() AND state = 'active' AND query LIKE '%OrganizationSaveScores%'`) > 0
	})
	return p
}

// finish goes on with what is left of the walk, and checks that nothing was done twice or not at all.
func (c *console) finish(url string) {
	c.t.Helper()
	got := c.run(exitOK, "recalculate", "--all")
	if !strings.HasPrefix(got.stderr, "app: continuing the run of 2") || !strings.Contains(got.stderr, "00 of 900 are done") {
		c.t.Errorf("it does not say where it goes on: %q", got.stderr)
	}
	if got.stdout != "900 calculated, 900 changed\n" {
		c.t.Errorf("printed: %s", got.stdout)
	}
	if n := query(c.t, url, `SELECT count(*) FROM calculation`); n != 900 {
		c.t.Errorf("%d calculations, want each of 900 once", n)
	}
	if n := query(c.t, url, `SELECT count(DISTINCT id) FROM calculation`); n != 900 {
		c.t.Errorf("%d were calculated, want all 900", n)
	}
}

func TestBackfillKilled(t *testing.T) {
	c, url := slowWalk(t)
	c.begin(url).Kill()
	c.begin(url).Kill()
	c.finish(url)
}

func TestBackfillInterrupted(t *testing.T) {
	c, url := slowWalk(t)
	p := c.begin(url)
	p.Signal(syscall.SIGINT)
	if code := p.Exit(); code != exitFailed {
		t.Errorf("exit code %d, want 1", code)
	}
	done := query(t, url, `SELECT done FROM backfill`)
	want := fmt.Sprintf("app: recalculating: interrupted (%d of 900 organizations are done; run it again to go on)\n", done)
	if done < 400 || !strings.HasSuffix(p.Log(), want) {
		t.Errorf("the step under way was not finished, or %q is not said: %s", want, p.Log())
	}
	c.finish(url)
}

// Ctrl-Z in the middle of a step: others get at the rows all the same, and the walk goes on with fg.
func TestBackfillSuspended(t *testing.T) {
	c, url := slowWalk(t)
	p := c.begin(url)
	p.Signal(syscall.SIGSTOP)
	done := query(t, url, `SELECT done FROM backfill`)
	execute(t, url, `UPDATE organizations SET name = 'changed meanwhile'`, `TRUNCATE calculation`)
	p.Signal(syscall.SIGCONT)
	if code := p.Exit(); code != exitOK {
		t.Errorf("exit code %d: %s", code, p.Log())
	}
	if n := query(t, url, `SELECT count(*) FROM calculation`); n != 900-done {
		t.Errorf("%d calculations after %d, of 900", n, done)
	}
}

func TestRecalculateAnew(t *testing.T) {
	c, url := slowWalk(t)
	c.begin(url).Kill()
	got := c.run(exitOK, "recalculate", "--all", "--restart", "--json")
	// The first 200 or 400 have their score already.
	if got.stderr != "" || !strings.Contains(got.stdout, `"calculated":900,"changed":`) || strings.Contains(got.stdout, `"changed":900`) {
		t.Errorf("%+v", got)
	}
}
