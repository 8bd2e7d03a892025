package claimsync_test

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/claimsync/claimsync"
	"github.com/claimsync/claimsync/clerk/clerktest"
	"github.com/claimsync/claimsync/db"
	"github.com/claimsync/claimsync/db/dbtest/pgproxy"
	"github.com/claimsync/claimsync/internal/logtest"
)

// often has the fleet check all the time, and be in nobody's way.
func often(c *claimsync.Config) { c.DriftEvery = 200 * time.Millisecond }

// run runs what runs beside River, until the returned function is called or the test ends.
func (d *drifting) run(sync *claimsync.Sync) (stop func()) {
	cancel, done := d.begin(sync)
	return func() { cancel(); <-done }
}

// begin is run for who does not want to wait once it is told to stop.
func (d *drifting) begin(sync *claimsync.Sync) (cancel func(), done <-chan struct{}) {
	ctx, cancel := context.WithCancel(d.t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		sync.Run(ctx, d.waker)
	}()
	d.t.Cleanup(func() { cancel(); <-ended })
	return cancel, ended
}

// report is the last one that was kept; nil: none was.
func (d *drifting) report() *claimsync.DriftReport {
	d.t.Helper()
	last, err := d.sync.LastDriftCheck(d.t.Context())
	d.must(err)
	return last.Report
}

// checks counts the results of periodic checks.
type checks struct {
	deaf
	mu      sync.Mutex
	results map[string]int
}

func (c *checks) DriftChecked(result string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.results[result]++
}

func (c *checks) of(result string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.results[result]
}

// Two processes check in turn, never both at once; what one finds is repaired, and the report kept.
func TestDriftRegularly(t *testing.T) {
	t.Parallel()
	first, second := &checks{results: map[string]int{}}, &checks{results: map[string]int{}}
	d := newDrifting(t, often, func(c *claimsync.Config) { c.Observer = first })
	var atOnce, most atomic.Int32
	d.lists.before = func() {
		if n := atOnce.Add(1); n > most.Load() {
			most.Store(n)
		}
	}
	d.lists.after = func(int) { atOnce.Add(-1) }
	d.clerk.SetFaults(clerktest.Fault{Latency: 30 * time.Millisecond, Method: "GET"})
	d.create("a", "b")
	d.work()
	d.synced()
	d.edit("a", `{"certification_tier":"MASTER_ROOFER"}`)
	otherClient := newHookedClient(t, d.clerk, d.lists)
	t.Cleanup(otherClient.CloseIdleConnections)
	stopFirst := d.run(d.sync)
	stopSecond := d.run(newSyncOf(t, d.pool, otherClient, often, func(c *claimsync.Config) { c.Observer = second }))

	d.until("drift is found and repaired", func() bool { return first.of(claimsync.DriftFound)+second.of(claimsync.DriftFound) > 0 })
	d.synced()
	d.until("both have checked, and found nothing any more", func() bool {
		return first.of(claimsync.DriftClean) > 1 && second.of(claimsync.DriftClean) > 1
	})
	stopFirst()
	stopSecond()
	if most.Load() != 1 {
		t.Errorf("%d checks at once", most.Load())
	}
	if report := d.report(); report == nil || report.Drifted != 0 || report.InStep != 2 {
		t.Errorf("kept: %+v", report)
	}
	if a, _ := d.clerk.Organization("org_a"); !strings.Contains(string(a.PublicMetadata), `"CERTIFIED"`) {
		t.Errorf("not repaired: %s", a.PublicMetadata)
	}
}

// Told only to report, it repairs nothing.
func TestDriftRegularlyReported(t *testing.T) {
	t.Parallel()
	d := newDrifting(t, often, func(c *claimsync.Config) { c.DriftReportOnly = true })
	d.create("a")
	d.work()
	d.synced()
	d.edit("a", `{}`)
	d.run(d.sync)
	d.until("it is found", func() bool { report := d.report(); return report != nil && report.Drifted == 1 })
	if report := d.report(); report.Repaired != 0 || d.is("SELECT count(*) > 0 FROM outbox_delivery WHERE outcome = 'overwritten'") {
		t.Errorf("repaired: %+v", report)
	}
}

// It is not made at once after the very first start, nor by who must not.
func TestDriftWhenItIsTime(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		edit  func(*claimsync.Config)
		sql   string // sets up what is planned
		looks bool
	}{
		"at first": {edit: func(c *claimsync.Config) { c.DriftEvery = 0 }, looks: true},
		"at first, on a second look": {
			edit: func(c *claimsync.Config) { c.DriftEvery = 0 },
			sql:  "UPDATE drift_check SET created_at = now() - interval '9 min'", looks: true,
		},
		"soon after the last": {
			edit: func(c *claimsync.Config) { c.DriftEvery = time.Hour },
			sql:  "UPDATE drift_check SET ended_at = now() - interval '50 min'", looks: true,
		},
		"soon after one that failed": {
			edit: func(c *claimsync.Config) { c.DriftEvery = time.Hour },
			sql:  "UPDATE drift_check SET ended_at = now() - interval '5 min', failure = 'f'", looks: true,
		},
		"never":         {edit: func(c *claimsync.Config) { c.DriftEvery = claimsync.Never }},
		"without Clerk": {edit: func(c *claimsync.Config) { c.Clerk = nil; c.DriftEvery = time.Millisecond }},
		"another process's turn": {
			edit: often,
			sql:  "UPDATE drift_check SET turn_ends = now() + interval '1 h', ended_at = now() - interval '1 day'", looks: true,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDrifting(t)
			if test.sql != "" {
				d.exec("INSERT INTO drift_check (topic) VALUES ($1)", claimsync.Topic)
				d.exec(test.sql)
			}
			client := newHookedClient(t, d.clerk, d.lists)
			t.Cleanup(client.CloseIdleConnections)
			stop := d.run(newSyncOf(t, d.pool, client, test.edit))
			if test.looks {
				d.until("it has looked", func() bool { return d.is("SELECT count(*) = 1 FROM drift_check") })
			}
			time.Sleep(500 * time.Millisecond) // as long as several checks would take
			stop()
			if n := len(d.listRequests()); n != 0 {
				t.Errorf("%d list calls", n)
			}
			if !test.looks && d.is("SELECT count(*) > 0 FROM drift_check") {
				t.Error("it plans to check")
			}
		})
	}
}

// Once it is, it is made; also when its turn was taken by a process that has died.
func TestDriftWhenItIsOverdue(t *testing.T) {
	t.Parallel()
	for name, sql := range map[string]string{
		"at first":             "UPDATE drift_check SET created_at = now() - interval '11 min'",
		"after a day":          "UPDATE drift_check SET ended_at = now() - interval '25 h'",
		"after a failure":      "UPDATE drift_check SET ended_at = now() - interval '11 min', failure = 'f'",
		"its process has died": "UPDATE drift_check SET created_at = now() - interval '11 min', turn_ends = now() - interval '1 s'",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDrifting(t)
			d.exec("INSERT INTO drift_check (topic) VALUES ($1)", claimsync.Topic)
			d.exec(sql)
			d.run(d.sync)
			d.until("it is made", func() bool {
				return d.is(`SELECT report IS NOT NULL AND ended_at > now() - interval '1 min' AND failure IS NULL
					AND turn_ends IS NULL FROM drift_check`)
			})
		})
	}
}

// A check that fails says why, and is made again; the last report stays.
func TestDriftRegularlyFailed(t *testing.T) {
	t.Parallel()
	seen := &checks{results: map[string]int{}}
	d := newDrifting(t, often, func(c *claimsync.Config) { c.Observer = seen })
	d.create("a")
	d.work()
	d.synced()
	d.check(looking)
	d.clerk.SetFaults(clerktest.Fault{Effect: clerktest.Answer, Status: 401, Method: "GET"})
	stop := d.run(d.sync)
	d.until("it has failed twice", func() bool { return seen.of(claimsync.DriftFailed) == 2 })
	d.until("that is kept", func() bool { return d.is("SELECT turn_ends IS NULL FROM drift_check") })
	last, err := d.sync.LastDriftCheck(t.Context())
	d.must(err)
	if last.Report == nil || last.Failure == nil || !strings.Contains(*last.Failure, "CLERK_SECRET_KEY") {
		t.Errorf("kept: %+v", last)
	}
	if said := strings.Join(last.InWords(last.FailedAt.Add(time.Hour)), "\n"); !strings.Contains(said, "(60 min ago) failed: ") ||
		!strings.Contains(said, ": no drift.") {
		t.Errorf("in words: %s", said)
	}
	d.clerk.ClearFaults()
	d.until("it succeeds", func() bool { return seen.of(claimsync.DriftClean) > 0 })
	stop()
	if last, err = d.sync.LastDriftCheck(t.Context()); err != nil || last.Failure != nil {
		t.Errorf("after a success: %+v, %v", last, err)
	}
}

// A process that stops does not wait until it may call, and leaves its turn to another at once.
func TestDriftStops(t *testing.T) {
	t.Parallel()
	d := newDrifting(t, often)
	d.must(d.sync.Outbox().Block(t.Context(), d.pool, claimsync.Topic, time.Hour, "429"))
	stop := d.run(d.sync)
	d.until("it waits for Clerk", func() bool { return d.is("SELECT count(*) = 1 FROM drift_check WHERE turn_ends > now()") })
	started := time.Now()
	stop()
	if took := time.Since(started); took > 2*time.Second {
		t.Errorf("it took %s to stop", took)
	}
	if !d.is("SELECT turn_ends IS NULL AND ended_at IS NULL FROM drift_check") {
		t.Error("its turn goes on without it, or counts as taken")
	}
}

// proxied returns another pool of the same database, with a proxy in between.
func proxied(t *testing.T, pool *pgxpool.Pool) (*pgproxy.Proxy, *pgxpool.Pool) {
	t.Helper()
	proxy, err := pgproxy.Start(pool.Config().ConnString())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = proxy.Close() })
	through, err := db.Open(t.Context(), proxy.URL())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(through.Close)
	return proxy, through
}

// … also if it is stopped before it has learnt that the turn is its own.
func TestDriftStopsTakingItsTurn(t *testing.T) {
	t.Parallel()
	var proxy *pgproxy.Proxy
	d := newDrifting(t, often, func(c *claimsync.Config) { proxy, c.Pool = proxied(t, c.Pool) })
	taken := proxy.BreakAfter("DriftTurnBegin", pgproxy.Answering("UPDATE 1"))
	cancel, done := d.begin(d.sync)
	if err := taken.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	cancel()
	time.AfterFunc(200*time.Millisecond, taken.Release) // or it would be told before it has given up
	<-done
	if !d.is("SELECT turn_ends IS NULL AND ended_at IS NULL FROM drift_check") {
		t.Error("its turn goes on without it, or counts as taken")
	}
}

// Nothing of the metadata is logged.
func TestDriftLog(t *testing.T) {
	t.Parallel()
	var log logtest.Journal
	d := newDrifting(t, often, func(c *claimsync.Config) { c.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
	d.create("a")
	d.work()
	d.synced()
	d.edit("a", `{"certification_tier":"HUSH"}`)
	d.run(d.sync)
	d.until("it is said", func() bool { return strings.Contains(log.String(), "Drift found") })
	if said := log.String(); strings.Contains(said, "HUSH") || !strings.Contains(said, "repaired=1") {
		t.Errorf("logged: %s", said)
	}
}

// A person asks for a check once; some process makes it, also one that makes no others, and repairs if it was asked to.
func TestDriftOnRequest(t *testing.T) {
	t.Parallel()
	for name, repair := range map[string]bool{"reported": false, "repaired": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDrifting(t, func(c *claimsync.Config) { c.DriftEvery = claimsync.Never; c.DriftReportOnly = repair })
			d.create("a")
			d.work()
			d.synced()
			d.edit("a", `{"certification_tier":"MASTER_ROOFER"}`)
			for asked, want := range []bool{true, false} { // the second time it is asked for already
				if requested, err := d.sync.RequestDriftCheck(t.Context(), repair); err != nil || requested != want {
					t.Errorf("request %d: %t, %v", asked, requested, err)
				}
			}
			if last, err := d.sync.LastDriftCheck(t.Context()); err != nil || last.RequestedAt == nil {
				t.Errorf("asked for: %+v, %v", last, err)
			}
			d.run(d.sync)
			d.until("it was made", func() bool { return d.report() != nil })
			d.until("it is answered", func() bool { return d.is("SELECT requested_at IS NULL AND turn_ends IS NULL FROM drift_check") })
			report := d.report()
			if report.Drifted != 1 || report.Repaired != map[bool]int{false: 0, true: 1}[repair] {
				t.Errorf("report: %+v", report)
			}
			time.Sleep(500 * time.Millisecond) // as long as several checks would take
			if again := d.report(); !again.FinishedAt.Equal(report.FinishedAt) {
				t.Error("it was made again")
			}
		})
	}
}
