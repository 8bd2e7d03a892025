package clerk_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/claimsync/claimsync/clerk"
)

func TestDifferences(t *testing.T) {
	t.Parallel()
	const tier, score, insured = "certification_tier", "compliance_score", "insurance_valid"
	long := `"` + strings.Repeat("x", 1000) + `"`
	tests := map[string]struct {
		public string
		should clerk.Metadata
		want   []clerk.Difference
	}{
		"none": {`{"certification_tier":"MASTER_ROOFER","compliance_score":87,"insurance_valid":true,"theirs":1}`, full(9), nil},
		"changed": {
			`{"certification_tier":"CERTIFIED","compliance_score":0,"insurance_valid":false}`, full(1), []clerk.Difference{
				{Kind: clerk.Changed, Key: tier, Clerk: `"CERTIFIED"`, Want: `"MASTER_ROOFER"`},
				{Kind: clerk.Changed, Key: score, Clerk: "0", Want: "87"},
				{Kind: clerk.Changed, Key: insured, Clerk: "false", Want: "true"},
			},
		},
		"missing": {
			`{"certification_tier":null,"insurance_valid":true}`, full(1), []clerk.Difference{
				{Kind: clerk.MissingKey, Key: tier, Want: `"MASTER_ROOFER"`}, {Kind: clerk.MissingKey, Key: score, Want: "87"},
			},
		},
		"of another type": {
			`{"certification_tier":["a",{"b":null}],"compliance_score":"87","insurance_valid":1}`, full(1), []clerk.Difference{
				{Kind: clerk.WrongType, Key: tier, Clerk: `["a",{"b":null}]`, Want: `"MASTER_ROOFER"`},
				{Kind: clerk.WrongType, Key: score, Clerk: `"87"`, Want: "87"},
				{Kind: clerk.WrongType, Key: insured, Clerk: "1", Want: "true"},
			},
		},
		"not to be there": {
			`{"certification_tier":"CERTIFIED","compliance_score":"87"}`, clerk.Metadata{}, []clerk.Difference{
				{Kind: clerk.UnexpectedKey, Key: tier, Clerk: `"CERTIFIED"`}, {Kind: clerk.UnexpectedKey, Key: score, Clerk: `"87"`},
			},
		},
		"values of another time": {
			`{"certification_tier":"MASTER_ROOFER","compliance_score":87,"insurance_valid":true,"claims_as_of":"2020-01-01T00:00:00Z"}`, full(1), nil,
		},
		"nothing, as it should be": {`{"theirs":1}`, clerk.Metadata{}, nil},
		"odd text": {
			`{"certification_tier":"a\u0000\nb"}`, clerk.Metadata{CertificationTier: new("\n")},
			[]clerk.Difference{{Kind: clerk.Changed, Key: tier, Clerk: `"a\u0000\nb"`, Want: `"\n"`}},
		},
		"long": {
			`{"certification_tier":[` + long + `]}`, clerk.Metadata{CertificationTier: new("A")},
			[]clerk.Difference{{Kind: clerk.WrongType, Key: tier, Clerk: `["` + strings.Repeat("x", 298) + "…", Want: `"A"`}},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := start(t)
			server.EditMetadata("org_1", []byte(test.public), nil)
			organization, _, err := connect(t, server.BaseURL()).Organization(t.Context(), "org_1")
			if err != nil {
				t.Fatal(err)
			}
			got := organization.Differences(test.should)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if organization.Agrees(test.should) != (len(got) == 0) {
				t.Errorf("agrees %t, with %d differences", organization.Agrees(test.should), len(got))
			}
		})
	}
}
