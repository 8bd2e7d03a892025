package claimsync_test

import (
	"context"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"github.com/claimsync/claimsync"
	"github.com/claimsync/claimsync/clerk/clerktest"
	"github.com/claimsync/claimsync/db"
	"github.com/claimsync/claimsync/db/dbtest"
	"github.com/claimsync/claimsync/jobs"
	"github.com/claimsync/claimsync/outbox"
)

// consequence is what follows an outcome: the right half of a row of docs/decisions.md, for a test to look at.
type consequence struct {
	parked  bool
	doubted bool
	blamed  bool
	blocked bool
	breaker outbox.Cause // after twelve organizations got the answer
}

var consequences = map[string]consequence{
	"applied":   {},
	"retry":     {blamed: true},
	"wait":      {blocked: true},
	"outage":    {blamed: true, doubted: true, breaker: outbox.CauseOutage},
	"ambiguous": {blamed: true, doubted: true},
	"stop":      {breaker: outbox.CauseConfiguration},
	"missing":   {breaker: outbox.CauseConfiguration},
	"park":      {parked: true, blamed: true},
}

// answers are those that a status alone does not tell, by words of the table.
var answers = map[string]struct {
	clerktest.Fault
	closed  bool // there is nobody at the address
	differs func(*consequence)
}{
	"200 with the organization":  {},
	"`api_version_invalid`":      {Fault: clerktest.Fault{Effect: clerktest.Answer, Status: 400, Body: `{"errors":[{"code":"api_version_invalid"}]}`}},
	"a refused connection":       {closed: true, differs: undoubted},
	"a timeout":                  {Fault: clerktest.Fault{Effect: clerktest.Hang}, differs: outageToo},
	"a reset":                    {Fault: clerktest.Fault{Effect: clerktest.ResetBefore}, differs: outageToo},
	"a truncated 200":            {Fault: clerktest.Fault{Effect: clerktest.Truncate}},
	"a 200 that is empty":        {Fault: clerktest.Fault{Effect: clerktest.EmptyOK}},
	"null":                       {Fault: clerktest.Fault{Effect: clerktest.NullOK}},
	"errors":                     {Fault: clerktest.Fault{Effect: clerktest.ErrorsOK}},
	"of another organization or": {Fault: clerktest.Fault{Effect: clerktest.Answer, Status: 200, Body: `{"object":"organization","id":"org_other"}`}},
	"other values":               {Fault: clerktest.Fault{Effect: clerktest.Answer, Status: 200, Body: `{"object":"organization","id":"org_0"}`}},
}

func undoubted(c *consequence) { c.doubted = false }
func outageToo(c *consequence) { c.breaker = outbox.CauseOutage }

// Every answer of the table in docs/decisions.md, given by the emulator through the real SDK, has the outcome and the
// consequences of its row.
func TestDecisions(t *testing.T) {
	t.Parallel()
	told := map[string]bool{}
	seen := map[string]bool{}
	for _, row := range decisionRows(t) {
		outcome := row[1]
		want, known := consequences[outcome]
		if !known {
			t.Errorf("docs/decisions.md has an outcome %q of which the test knows nothing", outcome)
		}
		told[outcome] = true
		cases := 0
		try := func(name string, fault clerktest.Fault, closed bool, want consequence) {
			cases++
			t.Run(outcome+": "+name, func(t *testing.T) {
				t.Parallel()
				newDecider(t, fault, closed).expect(outcome, want)
			})
		}
		for words, answer := range answers {
			if strings.Contains(row[0], words) {
				seen[words] = true
				expected := want
				if answer.differs != nil {
					answer.differs(&expected)
				}
				try(strings.Trim(words, "`"), answer.Fault, answer.closed, expected)
			}
		}
		for _, status := range statusesOf(row[0]) {
			expected := want
			if status == 503 {
				expected.doubted = false
			}
			fault := clerktest.Fault{Effect: clerktest.Answer, Status: status}
			if status == 429 {
				fault.RetryAfter = time.Minute
			}
			try(strconv.Itoa(status), fault, false, expected)
		}
		if cases == 0 {
			t.Errorf("no case for %q", row[0])
		}
	}
	if missing := slices.DeleteFunc(slices.Collect(maps.Keys(consequences)), func(o string) bool { return told[o] }); len(missing) > 0 {
		t.Errorf("docs/decisions.md has no row for %v", missing)
	}
	if missing := slices.DeleteFunc(slices.Collect(maps.Keys(answers)), func(w string) bool { return seen[w] }); len(missing) > 0 {
		t.Errorf("docs/decisions.md does not name %v", missing)
	}
}

// decisionRows are the rows of the table: answer, outcome, organization, everybody.
func decisionRows(t *testing.T) (rows [][]string) {
	t.Helper()
	text, err := os.ReadFile("docs/decisions.md")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if !strings.HasPrefix(line, "|") || len(cells) != 4 || strings.HasPrefix(cells[0], "-") || strings.Contains(cells[1], "outcome") {
			continue
		}
		cells[1] = strings.Trim(cells[1], " `")
		rows = append(rows, cells)
	}
	return rows
}

// bareStatus is a status that stands for its usual body, not one with words about it.
var bareStatus = regexp.MustCompile(`\b[2345]\d\d\b( with| that)?`)

func statusesOf(text string) (statuses []int) {
	for _, match := range bareStatus.FindAllStringSubmatch(strings.ReplaceAll(text, "truncated 200", ""), -1) {
		if match[1] == "" {
			status, _ := strconv.Atoi(match[0]) // digits
			statuses = append(statuses, status)
		}
	}
	return statuses
}

// decider is twelve organizations, a process that pushes them, and a Clerk that has one answer to everything.
type decider struct {
	t    *testing.T
	pool *pgxpool.Pool
	sync *claimsync.Sync
}

const deciderOrganizations = 12

func newDecider(t *testing.T, fault clerktest.Fault, closed bool) *decider {
	t.Helper()
	server, client := newClerk(t, 500*time.Millisecond)
	d := &decider{t: t, pool: dbtest.New(t)}
	var err error
	d.sync, err = claimsync.New(claimsync.Config{
		Pool: d.pool, Clerk: client, RateLimit: claimsync.Unlimited, OrganizationRateLimit: claimsync.Unlimited, MaxWorkers: 1,
	})
	if err != nil {
		t.Fatal(err)
	}
	keys := make([]string, deciderOrganizations)
	for i := range keys {
		keys[i] = fmt.Sprint("org_", i)
		server.AddOrganization(keys[i], keys[i])
		d.exec("INSERT INTO organizations (id, name, clerk_org_id) VALUES ($1, $1, $1)", keys[i])
	}
	if fault.Effect != clerktest.None {
		server.SetFaults(fault)
	}
	if closed {
		if err := server.Close(); err != nil {
			t.Fatal(err)
		}
	}
	d.start(keys)
	return d
}

// start marks the keys and works them, for as long as the test lasts.
func (d *decider) start(keys []string) {
	d.t.Helper()
	config, err := jobs.RiverConfig(d.sync.Jobs(), db.DefaultRiverSchema)
	if err != nil {
		d.t.Fatal(err)
	}
	worker, err := river.NewClient(riverpgxv5.New(d.pool), config)
	if err != nil {
		d.t.Fatal(err)
	}
	err = pgx.BeginFunc(d.t.Context(), d.pool, func(tx pgx.Tx) error {
		return d.sync.Outbox().MarkTx(d.t.Context(), tx, jobs.NewWaker(worker), claimsync.Topic, outbox.PriorityLive, keys...)
	})
	if err != nil {
		d.t.Fatal(err)
	}
	if err := worker.Start(context.Background()); err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() {
		if err := worker.Stop(context.Background()); err != nil {
			d.t.Error(err)
		}
	})
}

// expect waits until every organization has had the answer, or nobody may call any more, and compares.
func (d *decider) expect(outcome string, want consequence) {
	d.t.Helper()
	d.until("everybody had the answer or is kept away", func() bool {
		return d.is("SELECT count(DISTINCT key) = $1 FROM outbox_delivery", deciderOrganizations) ||
			d.is("SELECT count(*) > 0 FROM destination WHERE opened_at IS NOT NULL OR blocked_until > now()")
	})
	d.until("what is under way is recorded", func() bool {
		return d.is("SELECT count(*) = 0 FROM outbox WHERE lease_token IS NOT NULL")
	})
	outcomes := outcome
	if want.breaker == outbox.CauseConfiguration && outcome == "missing" {
		outcomes = "missing, stop" // the tenth, by which it is clear that no organization is to blame
	}
	if seen := d.text("SELECT string_agg(DISTINCT outcome::text, ', ') FROM outbox_delivery"); seen != outcomes {
		d.t.Errorf("outcomes: %s, want %s", seen, outcomes)
	}
	got := consequence{
		parked:  d.is("SELECT count(*) > 0 FROM outbox WHERE parked_at IS NOT NULL"),
		doubted: d.is("SELECT count(*) > 0 FROM outbox WHERE doubted_at IS NOT NULL"),
		blamed:  d.is("SELECT count(*) > 0 FROM outbox WHERE failures > 0"),
		blocked: d.is("SELECT count(*) > 0 FROM destination WHERE blocked_until > now()"),
		breaker: outbox.Cause(d.text("SELECT coalesce(max(open_cause), '') FROM (SELECT open_cause::text FROM destination) AS d")),
	}
	if got != want {
		d.t.Errorf("got %+v, want %+v", got, want)
	}
	if d.is("SELECT max(attempt) > 1 FROM river.river_job") {
		d.t.Error("it burned an attempt of River's")
	}
	if want.parked && !d.is(`SELECT bool_and(trace_id IS NOT NULL AND error LIKE '%' || status || '%' AND error LIKE '%' || trace_id || '%')
		FROM outbox_delivery`) {
		d.t.Error("the delivery log has no status or trace id of what was parked")
	}
}

func (d *decider) until(what string, condition func() bool) {
	d.t.Helper()
	deadline := time.Now().Add(time.Minute)
	for !condition() {
		if time.Now().After(deadline) {
			d.t.Fatalf("after a minute still not: %s", what)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// waiting is how many transactions wait for a lock.
func (d *decider) waiting() int {
	d.t.Helper()
	return int(valueOf[int64](d, `SELECT count(*) FROM pg_stat_activity
		WHERE datname = current_database() AND wait_event_type = 'Lock'`))
}

func (d *decider) is(query string, args ...any) bool { return valueOf[bool](d, query, args...) }

func (d *decider) text(query string) string { return valueOf[string](d, query) }

func valueOf[T any](d *decider, query string, args ...any) (value T) {
	d.t.Helper()
	if err := d.pool.QueryRow(d.t.Context(), query, args...).Scan(&value); err != nil {
		d.t.Fatalf("%s: %v", query, err)
	}
	return value
}

func (d *decider) exec(query string, args ...any) {
	d.t.Helper()
	if _, err := d.pool.Exec(d.t.Context(), query, args...); err != nil {
		d.t.Fatal(err)
	}
}
