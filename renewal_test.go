package claimsync_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/claimsync/claimsync"
	"github.com/claimsync/claimsync/internal/logtest"
)

// daily renews what gets a day old, and makes no drift checks.
func daily(c *claimsync.Config) { c.RenewEvery, c.DriftEvery = 24*time.Hour, claimsync.Never }

// walk sets up a walk that has begun so long ago.
func (d *drifting) walk(ago string) {
	d.t.Helper()
	d.exec(`INSERT INTO backfill (kind, total, started_at) SELECT 'renew', count(*), clock_timestamp() - $1::interval FROM organizations
		ON CONFLICT (kind) DO UPDATE SET total = EXCLUDED.total, started_at = EXCLUDED.started_at, after_id = '', done = 0, changed = 0, finished_at = NULL`, ago)
}

// walked waits until the walk has ended.
func (d *drifting) walked() {
	d.t.Helper()
	d.until("the walk has ended", func() bool { return d.is("SELECT finished_at IS NOT NULL FROM backfill WHERE kind = 'renew'") })
}

// pushedAgo makes the rows look as if they had been pushed so long ago; keys is a pattern.
func (d *drifting) pushedAgo(keys, ago string) {
	d.t.Helper()
	d.exec("UPDATE outbox SET synced_at = clock_timestamp() - $2::interval WHERE key LIKE $1", keys, ago)
}

// marked are the keys that were marked a second time, in order.
func (d *drifting) marked() string {
	d.t.Helper()
	return d.text("SELECT COALESCE(string_agg(key, ' ' ORDER BY key), '') FROM outbox WHERE desired_version = 2")
}

// What was not pushed for long is pushed again, with a new time; and nothing else is.
func TestRenewal(t *testing.T) {
	t.Parallel()
	d := newDrifting(t, daily)
	d.work()
	d.create("old", "older", "young", "contested", "parked", "unlinked", "deleted")
	d.synced()
	d.pushedAgo("org_%", "19 h")
	d.pushedAgo("org_older", "1000 h")
	d.pushedAgo("org_young", "17 h")
	d.exec(`INSERT INTO outbox_delivery (topic, key, version, outcome, duration)
		SELECT $1, 'org_contested', 1, 'overwritten', '1 s' FROM generate_series(1, 3)`, claimsync.Topic)
	d.exec(`UPDATE outbox SET dirty_since = now(), desired_version = 3, parked_at = now(), parked_reason = 'x' WHERE key = 'org_parked'`)
	d.exec("UPDATE organizations SET clerk_org_id = NULL WHERE id = 'unlinked'")
	d.exec("DELETE FROM organizations WHERE id = 'deleted'")
	d.exec("INSERT INTO organizations (id, name) VALUES ('never', 'Never linked')")
	d.edit("old", `{"certification_tier":"CERTIFIED","claims_as_of":"2020-01-01T00:00:00Z"}`)
	writes := len(d.clerk.Writes())

	d.walk("3 h")
	d.run(d.sync)
	d.walked()
	d.until("all that is marked is pushed", func() bool {
		return d.is("SELECT count(*) = 0 FROM outbox WHERE dirty_since IS NOT NULL AND parked_at IS NULL")
	})
	if got, want := d.marked(), "org_old org_older"; got != want {
		t.Errorf("renewed: %s, want %s", got, want)
	}
	if got := len(d.clerk.Writes()) - writes; got != 2 {
		t.Errorf("%d writes, want 2", got)
	}
	if got := asOf(t, d.clerk, "org_old"); time.Since(got) > time.Hour {
		t.Errorf("renewed as of %s", got)
	}
	if !d.is("SELECT done = 7 AND changed = 2 FROM backfill WHERE kind = 'renew'") {
		t.Error("the walk has counted otherwise: " + d.text("SELECT backfill::text FROM backfill WHERE kind = 'renew'"))
	}
}

// A renewal is behind everything else, whatever it is.
func TestRenewalIsNotUrgent(t *testing.T) {
	t.Parallel()
	d := newDrifting(t, daily)
	d.create("a")
	d.asPushed()
	d.pushedAgo("org_%", "19 h")
	d.exec("DELETE FROM river.river_job")
	d.walk("3 h")
	d.run(d.sync)
	d.walked()
	if got, want := d.text("SELECT string_agg(priority::text, ',') FROM river.river_job"), "4"; got != want {
		t.Errorf("priority %s, want %s", got, want)
	}
}

// It is spread over the walk: half of it after half of its time, also after a restart in between.
func TestRenewalIsSpreadOut(t *testing.T) {
	t.Parallel()
	d := newDrifting(t, daily)
	d.create(numbered("o", 450)...)
	d.asPushed()
	d.pushedAgo("org_%", "19 h")
	done := func(n int) func() bool {
		return func() bool { return d.is("SELECT done >= $1 FROM backfill WHERE kind = 'renew'", n) }
	}
	d.walk("60 min")
	stop := d.run(d.sync)
	d.until("a third is done", done(150))
	stop()
	d.exec("UPDATE backfill SET started_at = started_at - interval '60 min'")
	stop = d.run(newSyncOf(t, d.pool, newHookedClient(t, d.clerk, d.lists), daily))
	d.until("two thirds are", done(300))
	stop()
	if got := valueOf[int](d.decider, "SELECT count(*) FROM outbox WHERE desired_version = 2"); got < 300 || got > 310 {
		t.Errorf("%d of 450 are marked after two thirds of the time", got)
	}
	if !d.is("SELECT max(desired_version) = 2 FROM outbox") {
		t.Error("some are marked twice")
	}
}

// Of many processes one at a time walks, and each organization comes by once.
func TestRenewalInTurn(t *testing.T) {
	t.Parallel()
	d := newDrifting(t, daily)
	d.create(numbered("o", 750)...)
	d.asPushed()
	d.pushedAgo("org_%", "19 h")
	d.walk("3 h")
	for range 4 {
		client := newHookedClient(t, d.clerk, d.lists)
		t.Cleanup(client.CloseIdleConnections)
		d.run(newSyncOf(t, d.pool, client, daily))
	}
	d.walked()
	if !d.is("SELECT done = 750 AND changed = 750 FROM backfill WHERE kind = 'renew'") ||
		!d.is("SELECT min(desired_version) = 2 AND max(desired_version) = 2 FROM outbox") {
		t.Error("not each exactly once: " + d.text("SELECT backfill::text FROM backfill WHERE kind = 'renew'"))
	}
}

// The first walk begins when the fleet is first told to renew, and takes its time; the next when it is over. After a pause of
// the whole fleet, or with a clock that was ahead, all that is due is due at once.
func TestRenewalBegins(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		sql     string
		renewed bool
	}{
		"at first":                    {"", false},
		"before its time":             {"UPDATE backfill SET finished_at = now(), started_at = now() - interval '2 h'", false},
		"when it is time":             {"UPDATE backfill SET finished_at = now(), started_at = now() - interval '3 h 1 s'", false},
		"after a pause":               {"UPDATE backfill SET finished_at = now(), started_at = now() - interval '30 days'", true},
		"after a pause in a walk":     {"UPDATE backfill SET started_at = now() - interval '30 days'", true},
		"with a clock that was ahead": {"UPDATE backfill SET finished_at = now(), started_at = now() + interval '30 days'", false},
		"ahead, in a walk":            {"UPDATE backfill SET started_at = now() + interval '30 days'", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDrifting(t, daily)
			d.create(numbered("o", 110)...)
			d.asPushed()
			d.pushedAgo("org_%", "19 h")
			if test.sql != "" {
				d.walk("3 h")
				d.exec(test.sql)
			}
			d.run(d.sync)
			d.until("it has looked", func() bool {
				return d.is("SELECT count(*) = 1 FROM backfill WHERE kind = 'renew' AND started_at <= clock_timestamp()") ||
					d.is("SELECT count(*) = 110 FROM outbox WHERE desired_version = 2")
			})
			if test.renewed {
				d.until("all are marked", func() bool { return d.is("SELECT count(*) = 110 FROM outbox WHERE desired_version = 2") })
				return
			}
			time.Sleep(300 * time.Millisecond) // as long as all would take
			if got := valueOf[int](d.decider, "SELECT count(*) FROM outbox WHERE desired_version = 2"); got > 5 {
				t.Errorf("%d are marked at once", got)
			}
		})
	}
}

// While Clerk is not to be called, or much waits for it, nothing is added to that.
func TestRenewalWaits(t *testing.T) {
	t.Parallel()
	for name, sql := range map[string]string{
		"for the breaker": `INSERT INTO destination (topic, opened_at, open_cause, open_reason, probe_at)
			VALUES ('clerk_organization', now(), 'operator', 'x', now())`,
		"for Clerk": `INSERT INTO destination (topic, blocked_until, blocked_reason) VALUES ('clerk_organization', now() + interval '1 h', '429')`,
		"for others": `INSERT INTO outbox (topic, key, dirty_since)
			SELECT 'clerk_organization', 'org_w' || i, now() FROM generate_series(1, 1000) AS i`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDrifting(t, daily)
			d.create("a")
			d.asPushed()
			d.pushedAgo("org_a", "19 h")
			d.walk("3 h")
			d.exec(sql)
			stop := d.run(d.sync)
			time.Sleep(500 * time.Millisecond) // as long as several steps would take
			stop()
			if got := d.marked(); got != "" {
				t.Errorf("marked: %s", got)
			}
			d.exec("UPDATE destination SET opened_at = NULL, open_cause = NULL, open_reason = NULL, probe_at = NULL, blocked_until = NULL, blocked_reason = NULL")
			d.exec("DELETE FROM outbox WHERE key LIKE 'org_w%'")
			d.run(d.sync)
			d.walked()
			if got := d.marked(); got != "org_a" {
				t.Errorf("afterwards marked: %q", got)
			}
		})
	}
}

// A row that somebody holds is passed by, and holds up nobody.
func TestRenewalPassesLockedRows(t *testing.T) {
	t.Parallel()
	d := newDrifting(t, daily)
	d.create("a", "b", "c")
	d.asPushed()
	d.pushedAgo("org_%", "19 h")
	tx, err := d.pool.Begin(t.Context())
	d.must(err)
	defer func() { _ = tx.Rollback(context.Background()) }()
	_, err = tx.Exec(t.Context(), "SELECT FROM outbox WHERE key = 'org_b' FOR UPDATE")
	d.must(err)
	d.walk("3 h")
	d.run(d.sync)
	d.walked()
	if got, want := d.marked(), "org_a org_c"; got != want {
		t.Errorf("marked: %s, want %s", got, want)
	}
}

// Nobody renews who was not told to.
func TestRenewalNever(t *testing.T) {
	t.Parallel()
	for _, every := range []time.Duration{0, claimsync.Never} {
		t.Run(fmt.Sprint(every), func(t *testing.T) {
			t.Parallel()
			d := newDrifting(t, func(c *claimsync.Config) { c.RenewEvery = every })
			d.create("a")
			d.asPushed()
			d.pushedAgo("org_a", "1000 h")
			stop := d.run(d.sync)
			d.until("it runs", func() bool { return d.is("SELECT count(*) = 1 FROM drift_check") })
			stop()
			if d.is("SELECT count(*) > 0 FROM backfill") || d.marked() != "" {
				t.Error("it renews")
			}
		})
	}
}

// A walk that took too long says so: what is promised to readers may be broken.
func TestRenewalIsBehind(t *testing.T) {
	t.Parallel()
	for ago, want := range map[string]string{"3 h": "level=INFO msg=\"Looked for claims", "7 h": "level=WARN msg=\"Claims are not renewed"} {
		t.Run(ago, func(t *testing.T) {
			t.Parallel()
			var log logtest.Journal
			d := newDrifting(t, daily, func(c *claimsync.Config) { c.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
			d.create("a")
			d.asPushed()
			d.walk(ago)
			stop := d.run(d.sync)
			d.walked()
			stop()
			if !strings.Contains(log.String(), want) {
				t.Errorf("logged: %s", log.String())
			}
		})
	}
}

// In a fleet at work everything is pushed again and again, no rarer than it is to be.
func TestRenewalAgainAndAgain(t *testing.T) {
	t.Parallel()
	const every = 2 * time.Second
	d := newDrifting(t, func(c *claimsync.Config) { c.RenewEvery, c.DriftEvery = every, claimsync.Never })
	d.create("a", "b", "c")
	d.work()
	d.synced()
	d.run(d.sync)
	d.until("each is pushed three times", func() bool { return d.is("SELECT min(synced_version) >= 3 FROM outbox") })
	last := map[string]time.Time{}
	for _, write := range d.clerk.Writes() {
		if before, ok := last[write.Organization]; ok {
			if gap := write.Applied.Sub(before); gap < every/2 || gap > every+5*time.Second { // a busy machine is late
				t.Errorf("%s is pushed again after %s", write.Organization, gap)
			}
		}
		last[write.Organization] = write.Applied
	}
}
