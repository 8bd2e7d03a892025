package claimsync_test

import (
	"testing"
	"time"

	"github.com/claimsync/claimsync"
)

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
	const begun, ended = "finished_at IS NULL AND done < 5 AND changed = done", "finished_at IS NOT NULL"
	for name, test := range map[string]struct {
		sql    string
		marked int    // at least; of 110 organizations
		walk   string // what then is true of it
	}{
		"at first": {"", 0, begun + " AND started_at > now() - interval '1 h'"},
		"before its time": {
			"UPDATE backfill SET finished_at = now(), started_at = now() - interval '2 h'", 0,
			ended + " AND started_at < now() - interval '1 h'",
		},
		"when it is time": {
			"UPDATE backfill SET finished_at = now(), started_at = now() - interval '3 h 1 s'", 0,
			begun + " AND started_at > now() - interval '1 h'",
		},
		// The second look begins another one: from now, or a walk's time ago.
		"after a pause":           {"UPDATE backfill SET finished_at = now(), started_at = now() - interval '30 days'", 110, begun},
		"after a pause in a walk": {"UPDATE backfill SET started_at = now() - interval '30 days'", 110, ended},
		"with a clock that was ahead": {
			"UPDATE backfill SET finished_at = now(), started_at = now() + interval '30 days'", 0, begun + " AND started_at <= now()",
		},
		"ahead, in a walk": {"UPDATE backfill SET started_at = now() + interval '30 days'", 110, begun + " AND started_at <= now()"},
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
			d.renew(2)
			got := valueOf[int](d.decider, "SELECT count(*) FROM outbox WHERE desired_version = 2")
			if got < test.marked || got > test.marked+5 {
				t.Errorf("%d are marked, want %d", got, test.marked)
			}
			if !d.is("SELECT " + test.walk + " FROM backfill WHERE kind = 'renew'") {
				t.Errorf("the walk is not %s: %s", test.walk, d.text("SELECT backfill::text FROM backfill WHERE kind = 'renew'"))
			}
		})
	}
}

// In a fleet at work everything is pushed again and again, and no more often than that.
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
			if gap := write.Applied.Sub(before); gap < every/2 {
				t.Errorf("%s is pushed again after %s", write.Organization, gap)
			}
		}
		last[write.Organization] = write.Applied
	}
}

// Of two days' walks each seventh pushes again, so that nothing gets older than seven eighths of a day. A push takes a minute.
func TestRenewalOverDays(t *testing.T) {
	t.Parallel()
	d := newDrifting(t, daily)
	d.work()
	d.create("a", "b", "c")
	d.synced()
	d.renew(1)
	pushes := 1
	for walk := 1; walk <= 16; walk++ {
		d.exec("UPDATE backfill SET started_at = started_at - interval '3 h', finished_at = finished_at - interval '3 h'")
		d.exec("UPDATE outbox SET synced_at = synced_at - interval '2 h 59 min'")
		if d.is("SELECT max(clock_timestamp() - synced_at) > interval '21 h' FROM outbox") {
			t.Errorf("walk %d: one is older than seven eighths of a day", walk)
		}
		d.renew(1)
		d.synced()
		if walk%7 == 0 {
			pushes++
		}
		if !d.is("SELECT min(synced_version) = $1 AND max(synced_version) = $1 FROM outbox", pushes) {
			t.Errorf("after walk %d not each is pushed %d times: %s", walk, pushes,
				d.text("SELECT string_agg(synced_version::text, ' ') FROM outbox"))
		}
	}
}
