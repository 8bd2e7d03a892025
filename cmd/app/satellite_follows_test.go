package main

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/claimsync/claimsync/scoring"
)

// From one end to the other: somebody without any code of claimsync changes a policy in SQL, and another application, which
// has session tokens alone, answers otherwise within 10 s.
func TestSatelliteFollowsForeignWriters(t *testing.T) {
	i := install(t, 20)
	i.serve()
	i.importAll()
	i.untilInStep()
	c := &console{t, i.environment}
	c.run(exitOK, "triggers", "install")

	r := newReaderOf(t, i.clerk, 0)
	org := insuredAndLinked(t, i.organizations)
	answers := func(want int) {
		t.Helper()
		for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
			status, body := r.get("/reports/insured-work", *org.ClerkOrgID)
			if status == want {
				return
			}
			if time.Now().After(deadline) {
				t.Fatalf("10 s later: %d %s", status, body)
			}
		}
	}
	answers(http.StatusOK)
	const update = "UPDATE insurance_policies SET expiry_date = now() %s interval '1 year' WHERE organization_id = '%s'"
	executeSQL(t, i.database, fmt.Sprintf(update, "-", org.ID))
	answers(http.StatusForbidden)
	executeSQL(t, i.database, fmt.Sprintf(update, "+", org.ID))
	answers(http.StatusOK)
}

func insuredAndLinked(t *testing.T, organizations []scoring.OrganizationFacts) scoring.OrganizationFacts {
	t.Helper()
	for _, org := range organizations {
		if org.ClerkOrgID != nil && len(org.InsurancePolicies) > 0 && org.InsurancePolicies[0].ExpiryDate.After(time.Now().AddDate(0, 0, 1)) {
			return org
		}
	}
	t.Fatal("nobody is insured")
	return scoring.OrganizationFacts{}
}
