package sample_test

import (
	"slices"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"

	"github.com/claimsync/claimsync/internal/sample"
	"github.com/claimsync/claimsync/scoring"
)

var now = time.Date(2026, 5, 22, 14, 15, 41, 0, time.UTC)

func TestOrganizationsAreRepeatable(t *testing.T) {
	t.Parallel()
	once := slices.Collect(sample.Organizations(1, 50, now))
	longer := slices.Collect(sample.Organizations(1, 80, now))
	if diff := cmp.Diff(once, longer[:50]); diff != "" {
		t.Errorf("a longer run differs (-short +long):\n%s", diff)
	}
	other := slices.Collect(sample.Organizations(2, 50, now))
	if cmp.Equal(once, other) {
		t.Error("two seeds make the same organizations")
	}
	for range sample.Organizations(1, 50, now) {
		break
	}
}

func TestOrganizationsAreValid(t *testing.T) {
	t.Parallel()
	const n = 3000
	ids, names, clerkIDs := map[string]bool{}, map[string]bool{}, map[string]bool{}
	unlinked := 0
	for org := range sample.Organizations(7, n, now) {
		if err := org.Validate().Err(); err != nil {
			t.Fatalf("%s: %v", org.Name, err)
		}
		ids[org.ID], names[org.Name] = true, true
		if org.ClerkOrgID == nil {
			unlinked++
		} else {
			clerkIDs[*org.ClerkOrgID] = true
		}
	}
	if len(ids) != n || len(names) != n || len(clerkIDs)+unlinked != n || unlinked != n/10 {
		t.Errorf("of %d: %d ids, %d names, %d Clerk ids, %d unlinked", n, len(ids), len(names), len(clerkIDs), unlinked)
	}
}

func TestOrganizationsAreVaried(t *testing.T) {
	t.Parallel()
	const n = 2000
	status := map[scoring.Status]int{}
	tiers := map[scoring.Tier]int{}
	codes := map[string]int{}
	eligible, uninsured, unchanging := 0, 0, 0
	for org := range sample.Organizations(1, n, now) {
		r := scoring.Calculate(now, org.CertificationTier, &org.Facts)
		status[scoring.ScoreStatus(r.OverallScore)]++
		tiers[org.CertificationTier]++
		for _, issue := range r.Issues {
			codes[issue.Code]++
		}
		if r.TierEligibility.EligibleForUpgrade {
			eligible++
		}
		if !r.Metadata.InsuranceValid {
			uninsured++
		}
		if r.NextChange.IsZero() {
			unchanging++
		}
	}
	t.Logf("%v, %v, %d eligible, %d uninsured, %d never change, %d kinds of issues",
		status, tiers, eligible, uninsured, unchanging, len(codes))
	for s, count := range status {
		if count < n/10 {
			t.Errorf("only %d of %d are %s", count, n, s)
		}
	}
	if len(status) != 3 || len(tiers) != 3 || eligible < n/10 || uninsured < n/100 {
		t.Errorf("too alike: %v, %v, %d eligible, %d uninsured", status, tiers, eligible, uninsured)
	}
	for _, code := range []string{
		"INS_EXPIRING_PUBLIC_LIABILITY", "INS_EXPIRING_SOON_PUBLIC_LIABILITY", "INS_INSUFFICIENT_PUBLIC_LIABILITY",
		"INS_MISSING_PUBLIC_LIABILITY", "PERS_NO_OWNER", "PERS_UNVERIFIED_LBP", "PERS_NO_VERIFIED_LBP", "PERS_NO_LBP",
		"PERS_EXPIRED_LBP", "PERS_SINGLE_STAFF", "AUDIT_NONE", "AUDIT_CONDITIONAL", "AUDIT_FAILED", "AUDIT_OVERDUE",
		"CAPA_OVERDUE", "DOC_MISSING_TRACEABILITY", "DOC_PENDING_TRACEABILITY",
	} {
		if codes[code] == 0 {
			t.Errorf("no company has %s", code)
		}
	}
}

// The import reads what the sample writes.
func TestOrganizationsRoundTrip(t *testing.T) {
	t.Parallel()
	for org := range sample.Organizations(3, 100, now) {
		line, err := json.Marshal(org)
		if err != nil {
			t.Fatal(err)
		}
		var read scoring.OrganizationFacts
		if err := scoring.Decode(line, &read); err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		if diff := cmp.Diff(org, read); diff != "" {
			t.Errorf("(-written +read):\n%s", diff)
		}
	}
}
