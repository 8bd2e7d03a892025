package web_test

import (
	"strings"
	"testing"
	"time"

	"github.com/claimsync/claimsync"
	"github.com/claimsync/claimsync/db/dbsqlc"
	"github.com/claimsync/claimsync/db/dbtest"
	"github.com/claimsync/claimsync/outbox"
)

// TestPlans: a page reads what it shows, not the table.
func TestPlans(t *testing.T) {
	t.Parallel()
	a := newAPI(t, dbtest.New(t))
	// Ids at random, so that the order of a listing is not the one on disk: what speaks against walking an index.
	a.exec(`
		INSERT INTO organizations (id, name, clerk_org_id)
		SELECT md5(i::text), 'Organization', CASE WHEN i % 4 > 0 THEN 'org_' || md5(i::text) END
		FROM generate_series(1, 100000) AS i`)
	a.exec(`
		INSERT INTO outbox (topic, key, desired_version, synced_version, dirty_since, parked_at, parked_reason)
		SELECT $1, 'org_' || md5(i::text), 2, CASE WHEN i % 4 = 1 THEN 2 ELSE 1 END,
			CASE WHEN i % 4 > 1 THEN now() - i * interval '1 s' END,
			CASE WHEN i % 4 > 2 THEN now() - i * interval '1 s' END, CASE WHEN i % 4 > 2 THEN 'park 422' END
		FROM generate_series(1, 100000) AS i WHERE i % 4 > 0`, claimsync.Topic)
	for _, table := range []string{"organizations", "outbox"} {
		a.exec("ANALYZE " + table)
	}
	a.exec(`INSERT INTO outbox_delivery (topic, key, version, outcome, duration, finished_at)
		SELECT topic, key, 1, 'applied', '1 s', now() - row_number() OVER () * interval '1 s' FROM outbox`)
	a.exec("ANALYZE outbox_delivery")
	start, middle := time.Time{}, time.Now().Add(-12*time.Hour)
	for _, test := range []struct {
		name, query string
		args        []any
		index       string
	}{
		{"first page", dbsqlc.OrganizationPage, []any{claimsync.Topic, "", 51}, "organizations_pkey"},
		{"longest page", dbsqlc.OrganizationPage, []any{claimsync.Topic, "", 501}, "organizations_pkey"},
		{"middle page", dbsqlc.OrganizationPage, []any{claimsync.Topic, "8", 501}, "organizations_pkey"},
		{"unlinked", dbsqlc.OrganizationPageUnlinked, []any{"", 501}, "organizations_unlinked"},
		{"unlinked, middle", dbsqlc.OrganizationPageUnlinked, []any{"8", 501}, "organizations_unlinked"},
		{"dirty", dbsqlc.OrganizationPageDirty, []any{claimsync.Topic, start, "", 501}, "outbox_dirty"},
		{"dirty, middle", dbsqlc.OrganizationPageDirty, []any{claimsync.Topic, middle, "org_1", 501}, "outbox_dirty"},
		{"parked", dbsqlc.OrganizationPageParked, []any{claimsync.Topic, start, "", 501}, "outbox_parked"},
		{"parked, middle", dbsqlc.OrganizationPageParked, []any{claimsync.Topic, middle, "org_1", 501}, "outbox_parked"},
		{"near", dbsqlc.OrganizationSearchNear, []any{"8", 1020, "'org':*", "org", "org\x7f", 51, claimsync.Topic}, "organizations_pkey"},
		{"deliveries", dbsqlc.OutboxDeliveryList, []any{claimsync.Topic, "org_1", 1000, 26}, "outbox_delivery_key"},
	} {
		plan := dbtest.Plan(t, a.pool, test.query, test.args...)
		if strings.Contains(plan, "Seq Scan") || strings.Contains(plan, "Sort") || !strings.Contains(plan, test.index) {
			t.Errorf("%s: want a walk of %s alone, but the plan is\n%s", test.name, test.index, plan)
		}
	}
	for _, test := range []struct {
		name, query string
		args        []any
		index       string
	}{
		{"all that is parked", dbsqlc.OutboxParkedPage, []any{"", claimsync.Topic, middle, "org_1", 51}, "outbox_parked "},
		{"parked for a reason", dbsqlc.OutboxParkedPage, []any{"park 422", claimsync.Topic, middle, "org_1", 51}, "outbox_parked_reason"},
		{"parked keys for a reason", dbsqlc.OutboxParkedList, []any{"rare", claimsync.Topic, middle, "org_1", time.Now(), 51}, "outbox_parked_reason"},
		{"reasons", dbsqlc.OutboxParkedReasons, []any{claimsync.Topic, 10001}, "outbox_parked_reason"},
		{"activity", dbsqlc.OutboxActivityCount, []any{outbox.ActivityInterval, claimsync.Topic, time.Now().Add(-2 * time.Minute)}, "outbox_delivery_finished_at"},
	} {
		plan := dbtest.Plan(t, a.pool, test.query, test.args...)
		if strings.Contains(plan, "Seq Scan on outbox") || !strings.Contains(plan, test.index) {
			t.Errorf("%s: want it by %s, but the plan is\n%s", test.name, test.index, plan)
		}
	}
	// What is found has to be sorted; but it is found by indexes, however rare the planner takes it to be.
	for _, words := range []string{"'organization':*", "'nothing':*", ""} {
		plan := dbtest.Plan(t, a.pool, dbsqlc.OrganizationSearch, "", "8", "8\x7f", 51, claimsync.Topic, words)
		if strings.Contains(plan, "Seq Scan") || !strings.Contains(plan, "organizations_name") {
			t.Errorf("searching for %s: want it found by organizations_name, but the plan is\n%s", words, plan)
		}
	}
}
