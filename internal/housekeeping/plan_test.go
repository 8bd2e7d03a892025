package housekeeping

import (
	"strings"
	"testing"
	"time"

	"github.com/claimsync/claimsync/db/dbsqlc"
	"github.com/claimsync/claimsync/db/dbtest"
)

// A batch reads what it deletes, and not the table: also when nothing is old, which is the rule, and where the planner
// knows nothing about the table.
func TestPlans(t *testing.T) {
	h := newHouse(t)
	h.deliver(50_000, 0)
	h.exec(`INSERT INTO operator_action (operator, origin, action, target) SELECT 'o', '', 'redrive', '' FROM generate_series(1, 20000)`)
	h.exec(`INSERT INTO clerk_event (id, type, organization) SELECT i, 't', 'o' FROM generate_series(1, 20000) AS i`)
	h.exec(`INSERT INTO outbox_activity SELECT $1, now() + i * interval '10 s', 'applied', 1 FROM generate_series(1, 20000) AS i`, topic)
	check := func(when string) {
		for _, test := range []struct {
			query string
			args  []any
			index string
		}{
			{dbsqlc.OutboxDeliveryPrune, []any{time.Time{}, time.Hour, 1000}, "outbox_delivery_finished_at"},
			{dbsqlc.ClerkEventPrune, []any{time.Time{}, time.Hour, 1000}, "clerk_event_received_at"},
			{dbsqlc.OperatorActionPrune, []any{time.Hour, 1000}, "operator_action_pkey"},
			{dbsqlc.OutboxActivityPrune, []any{topic, time.Hour, 1000}, "outbox_activity_pkey"},
		} {
			if plan := dbtest.Plan(t, h.pool, test.query, test.args...); strings.Contains(plan, "Seq Scan") || !strings.Contains(plan, test.index) {
				t.Errorf("%s: want a walk of %s, but the plan is\n%s", when, test.index, plan)
			}
		}
	}
	check("before ANALYZE")
	h.exec(`ANALYZE`)
	check("after ANALYZE")
}
