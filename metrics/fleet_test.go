package metrics_test

import (
	"strings"
	"testing"

	"github.com/claimsync/claimsync/db/dbtest"
	"github.com/claimsync/claimsync/metrics"
)

func TestFleet(t *testing.T) {
	t.Parallel()
	pool := dbtest.New(t)
	m := metrics.New()
	m.WatchFleet(newSync(t, pool))
	expect(t, scrape(t, m), `claimsync_build_info{version="1.2.3"} 1`, `claimsync_outbox_objective_seconds 60`,
		`claimsync_processes{state="alive"} 0`, `claimsync_processes{state="silent"} 0`)
	mustExec(t, pool, `
		INSERT INTO process (id, hostname, pid, version, seen_at)
		SELECT gen_random_uuid(), 'secret-host', i, '1', now() - i * interval '5 s' FROM generate_series(0, 9) AS i`)
	scraped := scrape(t, m)
	expect(t, scraped, `claimsync_processes{state="alive"} 3`, `claimsync_processes{state="silent"} 7`)
	if strings.Contains(scraped, "secret-host") {
		t.Error("a label has a host's name, of which there may be any number")
	}
}
