package clerk_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/claimsync/claimsync/clerk"
	"github.com/claimsync/claimsync/clerk/clerktest"
)

func TestOrganization(t *testing.T) {
	t.Parallel()
	absent := clerk.Organization{
		CertificationTier: clerk.Value[string]{Presence: clerk.Absent},
		ComplianceScore:   clerk.Value[int]{Presence: clerk.Absent},
		InsuranceValid:    clerk.Value[bool]{Presence: clerk.Absent},
		Version:           clerk.Value[int64]{Presence: clerk.Absent},
	}
	malformed := clerk.Organization{
		CertificationTier: clerk.Value[string]{Presence: clerk.Malformed},
		ComplianceScore:   clerk.Value[int]{Presence: clerk.Malformed},
		InsuranceValid:    clerk.Value[bool]{Presence: clerk.Malformed},
		Version:           clerk.Value[int64]{Presence: clerk.Malformed},
	}
	tests := map[string]struct {
		public, private string
		want            clerk.Organization
	}{
		"present": {
			`{"certification_tier":"CERTIFIED","compliance_score":0,"insurance_valid":false}`, `{"claimsync":{"version":9}}`,
			clerk.Organization{
				CertificationTier: clerk.Value[string]{Presence: clerk.Present, V: "CERTIFIED"},
				ComplianceScore:   clerk.Value[int]{Presence: clerk.Present},
				InsuranceValid:    clerk.Value[bool]{Presence: clerk.Present},
				Version:           clerk.Value[int64]{Presence: clerk.Present, V: 9},
			}},
		"absent":        {`{}`, `{"claimsync":{}}`, absent},
		"null":          {`{"certification_tier":null,"compliance_score":null,"insurance_valid":null}`, `{"claimsync":null}`, absent},
		"no metadata":   {`null`, `null`, absent},
		"wrong types":   {`{"certification_tier":1,"compliance_score":"87","insurance_valid":"true"}`, `{"claimsync":{"version":"9"}}`, malformed},
		"not whole":     {`{"certification_tier":[],"compliance_score":87.5,"insurance_valid":0}`, `{"claimsync":[9]}`, malformed},
		"not an object": {`[]`, `"x"`, malformed},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := start(t)
			server.EditMetadata("org_1", []byte(test.public), []byte(test.private))
			got, receipt, err := connect(t, server.BaseURL()).Organization(t.Context(), "org_1")
			if err != nil || receipt.Status != http.StatusOK {
				t.Fatal(receipt, err)
			}
			stored, _ := server.Organization("org_1")
			test.want.ID, test.want.Name, test.want.Slug = "org_1", "Acme Roofing", "acme-roofing"
			test.want.CreatedAt, test.want.UpdatedAt = stored.CreatedAt, stored.UpdatedAt
			found := cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".Found" }, cmp.Ignore()) // see TestDifferences
			if diff := cmp.Diff(test.want, got, cmpopts.EquateApproxTime(0), found, cmpopts.IgnoreUnexported(clerk.Organization{})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestHoldsAndAgrees(t *testing.T) {
	t.Parallel()
	server := start(t)
	client := connect(t, server.BaseURL())
	if _, err := client.PushMetadata(t.Context(), "org_1", full(3)); err != nil {
		t.Fatal(err)
	}
	got, _, err := client.Organization(t.Context(), "org_1")
	if err != nil {
		t.Fatal(err)
	}
	lower := full(3)
	lower.ComplianceScore = new(86)
	for name, test := range map[string]struct {
		want          clerk.Metadata
		holds, agrees bool
	}{
		"the same":        {full(3), true, true},
		"another version": {full(4), false, true},
		"another value":   {lower, false, false},
		"one value fewer": {clerk.Metadata{CertificationTier: new("MASTER_ROOFER"), Version: 3}, false, false},
	} {
		if got.Holds(test.want) != test.holds || got.Agrees(test.want) != test.agrees {
			t.Errorf("%s: holds %t, agrees %t", name, got.Holds(test.want), got.Agrees(test.want))
		}
	}
}

func TestLateWriteIsSeen(t *testing.T) {
	t.Parallel()
	server := start(t)
	client := connect(t, server.BaseURL())
	server.SetFaults(clerktest.Fault{Effect: clerktest.Late, Delay: time.Second, Count: 1})

	ctx, giveUp := context.WithCancel(t.Context())
	go func() {
		_ = server.WaitFor(ctx, func() bool {
			return len(server.Requests()) == 1 && server.Requests()[0].Fault == clerktest.Late
		})
		giveUp()
	}()
	if _, err := client.PushMetadata(ctx, "org_1", full(1)); failure(t, err).Action != clerk.Ambiguous {
		t.Fatal(err)
	}
	if _, err := client.PushMetadata(t.Context(), "org_1", full(2)); err != nil {
		t.Fatal(err)
	}
	if _, err := server.WaitForWrite(t.Context(), func(w clerktest.Write) bool { return w.Late }); err != nil {
		t.Fatal(err)
	}
	got, _, err := client.Organization(t.Context(), "org_1")
	if err != nil || got.Version.V != 1 || got.Holds(full(2)) {
		t.Errorf("read back %+v, %v", got, err)
	}
}
