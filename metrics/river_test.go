package metrics_test

import (
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/claimsync/claimsync"
	"github.com/claimsync/claimsync/db"
	"github.com/claimsync/claimsync/db/dbsqlc"
	"github.com/claimsync/claimsync/db/dbtest"
	"github.com/claimsync/claimsync/metrics"
	"github.com/claimsync/claimsync/outbox"
)

func TestRiver(t *testing.T) {
	t.Parallel()
	pool := dbtest.New(t)
	m := metrics.New()
	m.WatchOutbox(pool, outbox.New(outbox.Config{}), "crm", "idle")
	mustExec(t, pool, `
		INSERT INTO river.river_job (state, queue, kind, args, max_attempts, priority, scheduled_at, finalized_at)
		SELECT state::river.river_job_state, queue, 'deliver', '{}', 25, priority, now() - due, finalized FROM (VALUES
			('available', 'crm', 1, interval '20.5 s', NULL), ('available', 'crm', 1, interval '1 s', NULL),
			('available', 'crm', 4, interval '300.5 s', NULL), ('available', 'crm', 2, interval '-9 s', NULL),
			('available', 'crm', 3, interval '40.5 s', NULL),
			('scheduled', 'crm', 3, interval '-9 s', NULL), ('running', 'crm', 3, interval '900 s', NULL),
			('discarded', 'crm', 1, interval '900 s', now()), ('completed', 'crm', 3, interval '900 s', now()),
			('available', 'other', 1, interval '900 s', NULL)
		) AS j (state, queue, priority, due, finalized)`)
	scraped := scrape(t, m)
	expect(t, scraped,
		`claimsync_river_jobs{state="available",topic="crm"} 5`,
		`claimsync_river_jobs{state="scheduled",topic="crm"} 1`,
		`claimsync_river_jobs{state="running",topic="crm"} 1`,
		`claimsync_river_jobs{state="retryable",topic="crm"} 0`,
		`claimsync_river_jobs{state="pending",topic="crm"} 0`,
		`claimsync_river_jobs{state="discarded",topic="crm"} 1`,
		`claimsync_river_jobs{state="available",topic="idle"} 0`,
		`claimsync_river_oldest_due_job_age_seconds{priority="live",topic="crm"} 2`, // 20.5 and a bit
		`claimsync_river_oldest_due_job_age_seconds{priority="lapse",topic="crm"} 0`,
		`claimsync_river_oldest_due_job_age_seconds{priority="routine",topic="crm"} 4`,   // 40.5 and a bit
		`claimsync_river_oldest_due_job_age_seconds{priority="backfill",topic="crm"} 30`, // 300.5 and a bit
	)
	if strings.Contains(scraped, "completed") {
		t.Error("jobs that are done were counted")
	}
}

func TestRiverQueuePaused(t *testing.T) {
	t.Parallel()
	pool := dbtest.New(t)
	m := metrics.New()
	m.WatchOutbox(pool, outbox.New(outbox.Config{}), "crm")
	paused := func(when, breaker, person string) {
		t.Helper()
		expect(t, scrape(t, m), `claimsync_river_queue_paused{by="breaker",topic="crm"} `+breaker,
			`claimsync_river_queue_paused{by="person",topic="crm"} `+person)
		if t.Failed() {
			t.Fatal(when)
		}
	}
	paused("no process has worked it", "0", "0")
	mustExec(t, pool, `INSERT INTO river.river_queue (name, updated_at) VALUES ('crm', now())`)
	paused("it runs", "0", "0")
	mustExec(t, pool, `UPDATE river.river_queue SET paused_at = now() - interval '1 h'`)
	paused("a person paused it", "0", "1")
	mustExec(t, pool, `INSERT INTO destination (topic, opened_at, open_cause, open_reason, probe_at, queue_paused_at)
		SELECT name, now(), 'outage', '503', now(), paused_at FROM river.river_queue`)
	paused("the breaker paused it", "1", "0")
	mustExec(t, pool, `UPDATE river.river_queue SET paused_at = now()`)
	paused("a person resumed it and paused it again", "0", "1")
}

// River's tables may be in another schema.
func TestRiverElsewhere(t *testing.T) {
	t.Parallel()
	pool := dbtest.NewEmpty(t)
	if err := db.Migrate(t.Context(), pool, db.MigrateConfig{RiverSchema: "elsewhere"}); err != nil {
		t.Fatal(err)
	}
	m := metrics.New()
	m.WatchOutbox(pool, outbox.New(outbox.Config{RiverSchema: "elsewhere"}), "crm")
	mustExec(t, pool, `INSERT INTO elsewhere.river_queue (name, paused_at, updated_at) VALUES ('crm', now(), now())`)
	expect(t, scrape(t, m), `claimsync_outbox_up 1`, `claimsync_river_jobs{state="available",topic="crm"} 0`,
		`claimsync_river_queue_paused{by="person",topic="crm"} 1`)
}

// TestPlans: where a backlog comes up that no ANALYZE has seen, a scrape still walks the ends of indexes. What is counted
// is counted along an index, and the completed jobs are not read.
func TestPlans(t *testing.T) {
	t.Parallel()
	pool := dbtest.New(t)
	fill(t, pool, 5000)
	soil(t, pool, 500)
	mustExec(t, pool, "INSERT INTO organization_change (bulk, organization_id) SELECT n % 2 = 0, n FROM generate_series(1, 5000) AS n")
	for name, test := range map[string]struct {
		query string
		args  []any
		reads int // index entries and rows at most
	}{
		"jobs":    {dbsqlc.QueueJobStates, []any{claimsync.Topic, 100}, 100},
		"oldest":  {dbsqlc.QueueOldestDue, []any{claimsync.Topic}, 4},
		"backlog": {dbsqlc.OutboxBacklog, []any{claimsync.Topic, 100}, 100 + 1},
		"due":     {dbsqlc.OrganizationsDue, []any{100}, 3*100 + 1},
	} {
		plan := dbtest.PlanRun(t, pool, test.query, test.args...)
		if read := readBy(t, plan); strings.Contains(plan, "Seq Scan") || read > test.reads {
			t.Errorf("%s: %d rows were read, want %d at most, along an index:\n%s", name, read, test.reads, plan)
		}
	}
}

// rowsRead are those that a node of a plan which reads returned or threw away.
var rowsRead = regexp.MustCompile(`(?:Scan using [^\n]*\(actual rows=(\d+)[.\d]* loops=(\d+)\)|Rows Removed by Filter: (\d+))`)

func readBy(t *testing.T, plan string) (read int) {
	t.Helper()
	nodes := rowsRead.FindAllStringSubmatch(plan, -1)
	if len(nodes) == 0 {
		t.Fatalf("no index is read:\n%s", plan)
	}
	for _, node := range nodes {
		rows, _ := strconv.Atoi(node[1] + node[3]) // digits
		loops, _ := strconv.Atoi(node[2])
		read += rows * max(loops, 1)
	}
	return read
}
