package claimsync_test

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/claimsync/claimsync"
	"github.com/claimsync/claimsync/internal/logtest"
)

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
			d.until("the walk has ended", func() bool { return strings.Contains(log.String(), " renewed=") })
			stop()
			if !strings.Contains(log.String(), want) {
				t.Errorf("logged: %s", log.String())
			}
		})
	}
}

// How late renewal is is known, unless nothing is to be renewed or nobody has begun.
func TestRenewalBehind(t *testing.T) {
	t.Parallel()
	d := newDrifting(t, daily)
	d.create(numbered("o", 10)...)
	d.asPushed()
	never := newSyncOf(t, d.pool, nil)
	if behind, ok, err := d.sync.RenewalBehind(t.Context()); ok || err != nil {
		t.Errorf("before the first walk: %s, %v, %v", behind, ok, err)
	}
	for _, test := range []struct {
		ago, sql string
		want     time.Duration
	}{
		{"1 min", "", 0},
		{"48 min", "", 30 * time.Minute}, // a tenth was due after 18 min
		{"48 min", "UPDATE backfill SET done = 2", 0},
		{"4 h", "UPDATE backfill SET done = 10", time.Hour},
		{"2 h", "UPDATE backfill SET done = 3, finished_at = now()", 0},
		{"4 h", "UPDATE backfill SET done = 3, finished_at = now()", time.Hour},
		{"-30 days", "", 0},
	} {
		d.walk(test.ago)
		if test.sql != "" {
			d.exec(test.sql)
		}
		behind, ok, err := d.sync.RenewalBehind(t.Context())
		if !ok || err != nil || behind < test.want || behind > test.want+10*time.Minute || test.want == 0 && behind != 0 {
			t.Errorf("after %s, %s: %s, %v, %v, want %s", test.ago, test.sql, behind, ok, err, test.want)
		}
	}
	if behind, ok, err := never.RenewalBehind(t.Context()); ok || err != nil {
		t.Errorf("without renewal: %s, %v, %v", behind, ok, err)
	}
}

// What Clerk's budget can never admit is said when a process starts, once.
func TestRenewalThatCannotBe(t *testing.T) {
	t.Parallel()
	const warning = "Claims cannot be renewed as often"
	for _, test := range []struct {
		rate  int
		every time.Duration
		want  int
	}{
		{20, time.Second, 1}, // three each second, of less than two
		{20, 2 * time.Second, 0},
		{claimsync.Unlimited, time.Second, 0},
	} {
		t.Run(fmt.Sprint(test.rate, test.every), func(t *testing.T) {
			t.Parallel()
			var log logtest.Journal
			d := newDrifting(t, func(c *claimsync.Config) {
				c.RenewEvery, c.RateLimit, c.Logger = test.every, test.rate, slog.New(slog.NewTextHandler(&log, nil))
			})
			d.create("a", "b", "c")
			d.asPushed()
			d.exec("INSERT INTO organizations (id, name) SELECT 'unlinked' || i, 'Unlinked' FROM generate_series(1, 9) AS i")
			stop := d.run(d.sync)
			d.until("two walks have ended", func() bool { return strings.Count(log.String(), " renewed=") >= 2 })
			stop()
			if got := strings.Count(log.String(), warning); got != test.want {
				t.Errorf("warned %d times, want %d: %s", got, test.want, log.String())
			}
		})
	}
}
