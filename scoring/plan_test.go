package scoring_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/claimsync/claimsync/db/dbsqlc"
	"github.com/claimsync/claimsync/db/dbtest"
)

// What is asked for each change, and by every process each second, is found by an index, whatever PostgreSQL knows of the tables.
func TestPlans(t *testing.T) {
	s := newShelf(t)
	s.exec(`INSERT INTO organizations (id, name, clerk_org_id, recalculate_at, insured_until)
		SELECT 'o' || i, 'Organization', 'org_' || i, now() + i * interval '1 s', now() + i * interval '1 s' FROM generate_series(1, 10000) AS i`)
	s.exec(`INSERT INTO documents (organization_id, iso_element, status)
		SELECT o.id, e, 'APPROVED' FROM organizations AS o, unnest((enum_range(NULL::iso_element))[1:2]) AS e`)
	s.exec(`INSERT INTO compliance_assessments (organization_id, iso_element, status, score)
		SELECT o.id, e, (enum_range(NULL::assessment_status))[1], 50 FROM organizations AS o, unnest((enum_range(NULL::iso_element))[1:2]) AS e`)
	s.exec(`INSERT INTO insurance_policies (organization_id, policy_type, coverage_amount, expiry_date)
		SELECT o.id, p, 1000, now() FROM organizations AS o, unnest((enum_range(NULL::policy_type))[1:2]) AS p`)
	s.exec(`INSERT INTO organization_members (organization_id, role)
		SELECT o.id, (enum_range(NULL::member_role))[1] FROM organizations AS o, generate_series(1, 2)`)
	s.exec(`INSERT INTO audits (organization_id, completed_at, rating) SELECT o.id, now(), 'PASS' FROM organizations AS o, generate_series(1, 2)`)
	s.exec(`INSERT INTO capa_records (organization_id, status)
		SELECT o.id, (enum_range(NULL::capa_status))[1] FROM organizations AS o, generate_series(1, 2)`)
	s.exec("INSERT INTO organization_change (bulk, organization_id) SELECT false, 'o' || i FROM generate_series(1, 5000) AS i")
	ids, keys := make([]string, 10), make([]string, 10)
	for i := range ids {
		ids[i], keys[i] = fmt.Sprint("o", 100*i+1), fmt.Sprint("org_", 100*i+1)
	}
	for _, known := range []string{"before", "after"} {
		for name, test := range map[string]struct {
			query string
			args  []any
		}{
			"due":                 {dbsqlc.OrganizationsAnyDue, nil},
			"due, lapsed":         {dbsqlc.OrganizationClaimLapsed, []any{nil, []string{}, 100}},
			"due, aged":           {dbsqlc.OrganizationClaimAged, []any{nil, []string{}, 100}},
			"claims":              {dbsqlc.OrganizationClaims, []any{keys[:1]}},
			"claims of several":   {dbsqlc.OrganizationClaims, []any{keys}},
			"organizations":       {dbsqlc.OrganizationLock, []any{ids}},
			"one organization":    {dbsqlc.OrganizationLock, []any{ids[:1]}},
			"documents":           {dbsqlc.FactsDocuments, []any{ids[:1]}},
			"assessments":         {dbsqlc.FactsAssessments, []any{ids[:1]}},
			"insurance policies":  {dbsqlc.FactsPolicies, []any{ids[:1]}},
			"members":             {dbsqlc.FactsMembers, []any{ids[:1]}},
			"audits":              {dbsqlc.FactsAudits, []any{ids[:1]}},
			"corrective measures": {dbsqlc.FactsCAPARecords, []any{ids[:1]}},
		} {
			if plan := dbtest.Plan(t, s.pool, test.query, test.args...); strings.Contains(plan, "Seq Scan") {
				t.Errorf("%s, %s ANALYZE: a table is read:\n%s", name, known, plan)
			}
		}
		s.exec("ANALYZE")
	}
}
