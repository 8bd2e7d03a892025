package claimsync_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/claimsync/claimsync"
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

// renew has the process do what it does when it looks, as often as that.
func (d *drifting) renew(times int) {
	d.t.Helper()
	for range times {
		d.must(d.sync.Renew(d.t.Context(), d.waker))
	}
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
			d.renew(2)
			if got := d.marked(); got != "" {
				t.Errorf("marked: %s", got)
			}
			d.exec("UPDATE destination SET opened_at = NULL, open_cause = NULL, open_reason = NULL, probe_at = NULL, blocked_until = NULL, blocked_reason = NULL")
			d.exec("DELETE FROM outbox WHERE key LIKE 'org_w%'")
			d.renew(1)
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
