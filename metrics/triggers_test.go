package metrics_test

import (
	"testing"

	"github.com/claimsync/claimsync/db/dbtest"
	"github.com/claimsync/claimsync/db/triggers"
	"github.com/claimsync/claimsync/metrics"
)

// No triggers are no fault; some that are not as they should be are.
func TestTriggers(t *testing.T) {
	t.Parallel()
	pool := dbtest.New(t)
	m := metrics.New()
	m.WatchScores(pool)
	expect(t, scrape(t, m), `claimsync_triggers{state="disabled"} 0`, `claimsync_triggers{state="installed"} 0`,
		`claimsync_triggers{state="missing"} 0`, `claimsync_triggers{state="outdated"} 0`)
	if _, err := triggers.Install(t.Context(), pool); err != nil {
		t.Fatal(err)
	}
	expect(t, scrape(t, m), `claimsync_triggers{state="installed"} 34`, `claimsync_triggers{state="missing"} 0`)
	mustExec(t, pool, "DROP TRIGGER claimsync_delete ON audits")
	mustExec(t, pool, "ALTER TABLE documents DISABLE TRIGGER USER")
	mustExec(t, pool, "COMMENT ON TRIGGER claimsync_insert ON capa_records IS 'claimsync before'")
	expect(t, scrape(t, m), `claimsync_triggers{state="disabled"} 5`, `claimsync_triggers{state="installed"} 27`,
		`claimsync_triggers{state="missing"} 1`, `claimsync_triggers{state="outdated"} 1`)
}
