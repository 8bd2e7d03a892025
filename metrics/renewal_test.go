package metrics_test

import (
	"strings"
	"testing"
	"time"

	"github.com/claimsync/claimsync"
	"github.com/claimsync/claimsync/db/dbtest"
	"github.com/claimsync/claimsync/metrics"
)

// Where nothing is renewed, or nobody has begun, nothing is said to be in time.
func TestRenewal(t *testing.T) {
	t.Parallel()
	pool := dbtest.New(t)
	renewing, not := metrics.New(), metrics.New()
	daily, err := claimsync.New(claimsync.Config{Pool: pool, RenewEvery: 24 * time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	renewing.WatchFleet(daily)
	not.WatchFleet(newSync(t, pool))
	if scraped := scrape(t, renewing); strings.Contains(scraped, "claimsync_renewal_") {
		t.Errorf("before the first walk:\n%s", scraped)
	}
	mustExec(t, pool, `INSERT INTO backfill (kind, total, done, started_at) VALUES ('renew', 100, 100, now() - interval '203 min')`)
	expect(t, scrape(t, renewing), `claimsync_renewal_behind_seconds 13`, // 1380 and a bit
		`claimsync_renewal_interval_seconds 86400`)
	mustExec(t, pool, `UPDATE backfill SET started_at = now(), done = 0`)
	expect(t, scrape(t, renewing), `claimsync_renewal_behind_seconds 0`)
	if scraped := scrape(t, not); strings.Contains(scraped, "claimsync_renewal_") {
		t.Errorf("without renewal:\n%s", scraped)
	}
}
