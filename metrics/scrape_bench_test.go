package metrics_test

import (
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/claimsync/claimsync"
	"github.com/claimsync/claimsync/db/dbtest"
	"github.com/claimsync/claimsync/metrics"
)

// BenchmarkScrape is what a scrape costs with a million organizations, a million completed jobs, and a backlog of none, of
// a tenth, and of all of them.
func BenchmarkScrape(b *testing.B) {
	pool := dbtest.New(b)
	sync := newSync(b, pool)
	m := metrics.New()
	m.WatchPool(pool)
	m.WatchOutbox(pool, sync.Outbox(), claimsync.Topic)
	m.WatchScores(pool)
	m.WatchDrift(pool, claimsync.Topic, claimsync.DefaultDriftEvery)
	m.WatchFleet(sync)
	fill(b, pool, 1_000_000)
	dirty := 0
	for _, more := range []int{0, 100_000, 900_000} {
		soil(b, pool, more)
		dirty += more
		b.Run(fmt.Sprint("dirty=", dirty), func(b *testing.B) {
			for b.Loop() {
				scrape(b, m)
			}
		})
	}
}

// fill makes organizations that are in step, and the completed job of each.
func fill(tb testing.TB, pool *pgxpool.Pool, organizations int) {
	tb.Helper()
	mustExec(tb, pool, `
		INSERT INTO organizations (id, name, clerk_org_id)
		SELECT md5(i::text), 'Organization', 'org_' || md5(i::text) FROM generate_series(1, $1) AS i`, organizations)
	mustExec(tb, pool, `
		INSERT INTO outbox (topic, key, desired_version, synced_version)
		SELECT $1, clerk_org_id, 2, 2 FROM organizations`, claimsync.Topic)
	mustExec(tb, pool, `
		INSERT INTO river.river_job (state, queue, kind, args, max_attempts, finalized_at)
		SELECT 'completed', $1, 'deliver', '{}', 25, now() FROM generate_series(1, $2)`, claimsync.Topic, organizations)
	mustExec(tb, pool, `VACUUM ANALYZE`)
}

// soil gives so many of them a change on its way, and an available job.
func soil(tb testing.TB, pool *pgxpool.Pool, rows int) {
	tb.Helper()
	mustExec(tb, pool, `
		WITH soiled AS (
			UPDATE outbox SET desired_version = 3, dirty_since = now()
			WHERE key IN (SELECT key FROM outbox WHERE dirty_since IS NULL ORDER BY key LIMIT $2) RETURNING key
		)
		INSERT INTO river.river_job (state, queue, kind, args, max_attempts)
		SELECT 'available', $1, 'deliver', '{}', 25 FROM soiled`, claimsync.Topic, rows)
}
