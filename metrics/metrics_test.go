package metrics_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"github.com/claimsync/claimsync"
	"github.com/claimsync/claimsync/db"
	"github.com/claimsync/claimsync/db/dbtest"
	"github.com/claimsync/claimsync/metrics"
	"github.com/claimsync/claimsync/outbox"
)

func TestMain(m *testing.M) { dbtest.Main(m) }

var _ claimsync.Observer = (*metrics.Metrics)(nil)

// scrape returns what Prometheus would read.
func scrape(tb testing.TB, m *metrics.Metrics) string {
	tb.Helper()
	recorder := httptest.NewRecorder()
	m.Handler().ServeHTTP(recorder, httptest.NewRequest("GET", "/metrics", nil))
	if recorder.Code != http.StatusOK {
		tb.Fatalf("scrape: %d %s", recorder.Code, recorder.Body)
	}
	return recorder.Body.String()
}

func expect(t *testing.T, scraped string, lines ...string) {
	t.Helper()
	for _, line := range lines {
		if !strings.Contains("\n"+scraped, "\n"+line) {
			t.Errorf("no line begins with %q in\n%s", line, scraped)
		}
	}
}

func mustExec(tb testing.TB, pool *pgxpool.Pool, sql string, args ...any) {
	tb.Helper()
	if _, err := pool.Exec(tb.Context(), sql, args...); err != nil {
		tb.Fatal(err)
	}
}

func newSync(tb testing.TB, pool *pgxpool.Pool) *claimsync.Sync {
	tb.Helper()
	sync, err := claimsync.New(claimsync.Config{Pool: pool, Version: "1.2.3"})
	if err != nil {
		tb.Fatal(err)
	}
	return sync
}

func TestDeliveries(t *testing.T) {
	t.Parallel()
	m := metrics.New()
	m.Delivered("crm", "applied", 200*time.Millisecond)
	m.Delivered("crm", "applied", 300*time.Millisecond)
	m.Delivered("crm", "ambiguous", 5*time.Second)
	m.Applied("crm", 4*time.Millisecond)
	m.Applied("crm", -time.Second)
	m.Applied("crm", 20*time.Minute)
	m.Swept("crm", 3)
	expect(t, scrape(t, m),
		`claimsync_deliveries_total{outcome="applied",topic="crm"} 2`,
		`claimsync_deliveries_total{outcome="ambiguous",topic="crm"} 1`,
		`claimsync_delivery_duration_seconds_sum{outcome="applied",topic="crm"} 0.5`,
		`claimsync_applied_lag_seconds_bucket{topic="crm",le="0.005"} 2`,
		`claimsync_applied_lag_seconds_bucket{topic="crm",le="900"} 2`,
		`claimsync_applied_lag_seconds_bucket{topic="crm",le="3600"} 3`,
		`claimsync_swept_rows_total{topic="crm"} 3`,
		`go_goroutines `, `process_start_time_seconds `,
	)
}

// TestGatherer: an application's own metrics and ours are one answer, whatever is watched afterwards.
func TestGatherer(t *testing.T) {
	t.Parallel()
	theirs := prometheus.NewRegistry()
	theirs.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m := metrics.New()
	both := prometheus.Gatherers{theirs, m.Gatherer()}
	m.WatchOutbox(dbtest.New(t), outbox.New(outbox.Config{}), "crm")
	families, err := both.Gather()
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]int{}
	for _, family := range families {
		found[family.GetName()] = len(family.GetMetric())
	}
	for _, name := range []string{"go_goroutines", "process_start_time_seconds", "claimsync_outbox_dirty_rows"} {
		if found[name] != 1 {
			t.Errorf("%s is there %d times", name, found[name])
		}
	}
}

func TestEvents(t *testing.T) {
	t.Parallel()
	m := metrics.New()
	m.ClerkEvent("organization.created", "linked")
	m.ClerkEvent("organization.created", "linked")
	m.ClerkEvent("other", "refused")
	expect(t, scrape(t, m),
		`claimsync_clerk_events_total{outcome="linked",type="organization.created"} 2`,
		`claimsync_clerk_events_total{outcome="refused",type="other"} 1`,
		`claimsync_clerk_events_total{outcome="contested",type="organization.updated"} 0`, // so that it can increase
	)
}

func TestBacklog(t *testing.T) {
	t.Parallel()
	pool := dbtest.New(t)
	m := metrics.New()
	m.WatchOutbox(pool, outbox.New(outbox.Config{}), "crm", "idle")
	_, err := pool.Exec(t.Context(), `
		INSERT INTO outbox (topic, key, dirty_since, parked_at, parked_reason) VALUES
			('crm', 'a', now() - interval '100 s', NULL, NULL), ('crm', 'b', now(), NULL, NULL),
			('crm', 'c', now() - interval '1 day', now(), 'park 422')`)
	if err != nil {
		t.Fatal(err)
	}
	expect(t, scrape(t, m),
		`claimsync_outbox_up 1`,
		`claimsync_outbox_dirty_rows{topic="crm"} 2`,
		`claimsync_outbox_parked_rows{topic="crm"} 1`,
		`claimsync_outbox_oldest_dirty_age_seconds{topic="crm"} 1`, // 100 and a bit
		`claimsync_outbox_dirty_rows{topic="idle"} 0`,
		`claimsync_outbox_oldest_dirty_age_seconds{topic="idle"} 0`,
		// From zero, so that they can increase.
		`claimsync_swept_rows_total{topic="idle"} 0`,
		`claimsync_deliveries_total{outcome="park",topic="idle"} 0`,
		`claimsync_applied_lag_seconds_count{topic="idle"} 0`,
	)
}

func TestDestination(t *testing.T) {
	t.Parallel()
	pool := dbtest.New(t)
	m := metrics.New()
	// 0.3 s more are taken for the window, and nine tenths of the calls.
	budgets := map[string]outbox.Budget{"crm": {Fleet: outbox.Limit{Calls: 1000, Window: 9700 * time.Millisecond}}}
	m.WatchOutbox(pool, outbox.New(outbox.Config{Budgets: budgets}), "crm", "idle")
	_, err := pool.Exec(t.Context(), `
		INSERT INTO destination (topic, blocked_until, blocked_reason, rate_factor, rate_factor_at, opened_at, open_cause,
			open_reason, probe_at)
		VALUES ('crm', now() + interval '199.5 s', '429', 0.49, now() + interval '1 h', now(), 'configuration', '401', now())`)
	if err != nil {
		t.Fatal(err)
	}
	scraped := scrape(t, m)
	expect(t, scraped,
		`claimsync_budget_calls_per_second{topic="crm"} 90`,
		`claimsync_breaker_open{cause="configuration",topic="crm"} 1`,
		`claimsync_breaker_open{cause="outage",topic="crm"} 0`,
		`claimsync_breaker_open{cause="operator",topic="crm"} 0`,
		`claimsync_destination_blocked_seconds{topic="crm"} 19`, // 199 and a bit, or a little less
		`claimsync_budget_share_ratio{topic="crm"} 0.49`,
		`claimsync_breaker_open{cause="configuration",topic="idle"} 0`,
		`claimsync_destination_blocked_seconds{topic="idle"} 0`,
		`claimsync_budget_share_ratio{topic="idle"} 1`,
	)
	if strings.Contains(scraped, `claimsync_budget_calls_per_second{topic="idle"}`) {
		t.Errorf("the budget of a topic that has none:\n%s", scraped)
	}
}

func TestScores(t *testing.T) {
	t.Parallel()
	pool := dbtest.New(t)
	m := metrics.New()
	m.WatchScores(pool)
	m.Recalculated(3, 1, 2*time.Second)
	m.RecalculationFailed()
	_, err := pool.Exec(t.Context(), `
		INSERT INTO organizations (id, name, compliance_score, documentation_score, insurance_score, personnel_score, audit_score,
			insurance_valid, calculated_at, recalculate_at)
		SELECT id, id, 0, 0, 0, 0, 0, false, now() - interval '1 day', now() + due FROM (VALUES
			('a', interval '-19.5 s'), ('b', interval '-1 s'), ('c', interval '1 day'), ('d', NULL)) AS o (id, due)`)
	if err != nil {
		t.Fatal(err)
	}
	expect(t, scrape(t, m),
		`claimsync_due_organizations 2`,
		`claimsync_due_overdue_seconds 19`, // and a bit
		`claimsync_due_recalculations_total{result="changed"} 3`,
		`claimsync_due_recalculations_total{result="unchanged"} 1`,
		`claimsync_due_recalculation_lag_seconds_bucket{le="2.5"} 1`,
		`claimsync_due_recalculations_failed_total 1`,
	)
}

// What nobody has looked at is not said to be well.
func TestDrift(t *testing.T) {
	t.Parallel()
	pool := dbtest.New(t)
	m := metrics.New()
	m.WatchDrift(pool, "crm", time.Hour)
	m.DriftChecked(claimsync.DriftFound)
	expect(t, scrape(t, m), `claimsync_drift_checks_total{result="clean"} 0`, `claimsync_drift_checks_total{result="drift"} 1`,
		`claimsync_drift_checks_total{result="failed"} 0`)
	if strings.Contains(scrape(t, m), "claimsync_drift_check_age_seconds") {
		t.Error("the age of a check that nobody planned")
	}

	exec := func(sql string) {
		t.Helper()
		if _, err := pool.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	exec(`INSERT INTO drift_check (topic, created_at) VALUES ('crm', now() - interval '50 s')`)
	scraped := scrape(t, m)
	expect(t, scraped, `claimsync_drift_check_age_seconds 5`) // 50 and a bit
	if strings.Contains(scraped, "claimsync_drift_organizations{") || strings.Contains(scraped, "claimsync_drift_contested") {
		t.Errorf("what no check has found:\n%s", scraped)
	}

	exec(`UPDATE drift_check SET reported_at = now() - interval '300 s', report = '{"kinds":{"changed":3,"wrong_type":0},"contested":1}'`)
	expect(t, scrape(t, m), `claimsync_drift_organizations{kind="changed"} 3`, `claimsync_drift_organizations{kind="wrong_type"} 0`,
		`claimsync_drift_contested_organizations 1`, `claimsync_drift_check_age_seconds 30`)
}

// TestPool does not watch the outbox: a scrape collects both at once, and a backlog being read holds a connection.
func TestPool(t *testing.T) {
	t.Parallel()
	pool := dbtest.New(t)
	m := metrics.New()
	m.WatchPool(pool)
	conn, err := pool.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	expect(t, scrape(t, m), `claimsync_pool_max_connections 20`, `claimsync_pool_acquired_connections 1`)
	conn.Release()
	expect(t, scrape(t, m), `claimsync_pool_acquired_connections 0`)

	unconnected := metrics.New()
	unconnected.WatchPool(nowhere(t))
	expect(t, scrape(t, unconnected), `claimsync_pool_connections 0`)
}

// nowhere is a pool whose database does not answer.
func nowhere(t *testing.T) *pgxpool.Pool {
	t.Helper()
	pool, err := db.Open(t.Context(), "postgres://nobody@127.0.0.1:1/nothing")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

func TestWithoutDatabase(t *testing.T) {
	t.Parallel()
	pool := nowhere(t)
	m := metrics.New()
	m.WatchPool(pool)
	m.WatchOutbox(pool, outbox.New(outbox.Config{}), "crm")
	m.WatchFleet(newSync(t, pool))
	m.Swept("crm", 1)
	scraped := scrape(t, m)
	expect(t, scraped, `claimsync_outbox_up 0`, `claimsync_swept_rows_total{topic="crm"} 1`, `claimsync_pool_max_connections `,
		`claimsync_outbox_objective_seconds 60`)
	for _, name := range []string{"claimsync_river_jobs{", "claimsync_river_queue_paused{", "claimsync_processes{"} {
		if strings.Contains(scraped, name) {
			t.Errorf("%s, which nobody looked at:\n%s", name, scraped)
		}
	}
	if strings.Contains(scraped, "claimsync_outbox_dirty_rows{") || strings.Contains(scraped, "claimsync_breaker_open{") {
		t.Errorf("a backlog or a breaker that nobody looked at:\n%s", scraped)
	}
}

// Anybody may scrape: that takes a few connections of the pool, and no more.
func TestScrapesAtOnce(t *testing.T) {
	t.Parallel()
	pool := dbtest.New(t)
	m := metrics.New()
	m.WatchOutbox(pool, outbox.New(outbox.Config{}), "crm")
	var taken []*pgxpool.Conn
	for len(taken) < int(pool.Config().MaxConns) { // so that scrapes wait
		conn, err := pool.Acquire(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		taken = append(taken, conn)
	}
	codes := make(chan int)
	for range 10 {
		go func() {
			recorder := httptest.NewRecorder()
			m.Handler().ServeHTTP(recorder, httptest.NewRequest("GET", "/metrics", nil))
			codes <- recorder.Code
		}()
	}
	for i := range 10 {
		if i == 7 {
			for _, conn := range taken {
				conn.Release()
			}
		}
		want := http.StatusServiceUnavailable
		if i >= 7 {
			want = http.StatusOK
		}
		if code := <-codes; code != want {
			t.Errorf("answer %d: %d, want %d", i, code, want)
		}
	}
}

// TestNaming holds the names and help texts against Prometheus' conventions.
func TestNaming(t *testing.T) {
	t.Parallel()
	pool := dbtest.New(t)
	m := metrics.New()
	m.WatchPool(pool)
	budgets := map[string]outbox.Budget{"crm": {Fleet: outbox.Limit{Calls: 10, Window: time.Second}}}
	m.WatchOutbox(pool, outbox.New(outbox.Config{Budgets: budgets}), "crm")
	m.WatchScores(pool)
	m.WatchDrift(pool, "crm", time.Hour)
	m.WatchFleet(newSync(t, pool))
	m.Delivered("crm", "applied", time.Second)
	m.Applied("crm", time.Second)
	problems, err := promlint.New(strings.NewReader(scrape(t, m))).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, problem := range problems {
		t.Errorf("%s: %s", problem.Metric, problem.Text)
	}
}
