package claims_test

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/claimsync/claimsync/clerk/claims"
)

var (
	ofTheUser = cmpopts.IgnoreFields(claims.Claims{}, "Subject", "SessionID", "OrganizationID", "Role", "IssuedAt", "ExpiresAt")
	none      = claims.Claims{}
)

// Absent is not zero, and what is malformed is absent: the user is still who they are.
func TestOptionalClaims(t *testing.T) {
	r := newReader(t)
	const tier, score, insured, asOf = "certification_tier", "compliance_score", "insurance_valid", "claims_as_of"
	noon := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	malformed := func(names ...string) claims.Claims { return claims.Claims{Malformed: names} }
	tests := map[string]struct {
		token map[string]any
		want  claims.Claims
	}{
		"zero values": {
			map[string]any{tier: "ACCREDITED", score: 0, insured: false, asOf: "1970-01-01T00:00:00Z"},
			claims.Claims{Tier: new(claims.Accredited), Score: new(0), InsuranceValid: new(false), AsOf: new(time.Unix(0, 0).UTC())},
		},
		"as strings": {
			map[string]any{tier: "MASTER_ROOFER", score: "87", insured: "true", asOf: "2026-11-23T12:00:00Z"},
			claims.Claims{Tier: new(claims.MasterRoofer), Score: new(87), InsuranceValid: new(true), AsOf: &noon},
		},
		"as strings, and no": {map[string]any{score: "0", insured: "false"}, claims.Claims{Score: new(0), InsuranceValid: new(false)}},
		"the best":           {map[string]any{score: 100}, claims.Claims{Score: new(100)}},
		"another zone": {
			map[string]any{asOf: "2026-11-23T13:00:00.75+01:00"}, claims.Claims{AsOf: new(noon.Add(750 * time.Millisecond))},
		},
		"above 100":             {map[string]any{score: 101}, malformed(score)},
		"below 0":               {map[string]any{score: -1}, malformed(score)},
		"a fraction":            {map[string]any{score: 87.5}, malformed(score)},
		"an exponent":           {map[string]any{score: "1e1"}, malformed(score)},
		"a huge score":          {map[string]any{score: math.MaxFloat64}, malformed(score)},
		"a fraction as string":  {map[string]any{score: "87.5"}, malformed(score)},
		"a sign":                {map[string]any{score: "+87"}, malformed(score)},
		"a zero in front":       {map[string]any{score: "087"}, malformed(score)},
		"white space":           {map[string]any{score: " 87", insured: " true", tier: "CERTIFIED "}, malformed(tier, score, insured)},
		"no score":              {map[string]any{score: ""}, malformed(score)},
		"null as string":        {map[string]any{tier: "null", score: "null", insured: "null", asOf: "null"}, malformed(tier, score, insured, asOf)},
		"an unfilled shortcode": {map[string]any{score: "{{org.public_metadata.score}}"}, malformed(score)},
		"booleans for all":      {map[string]any{tier: true, score: true, asOf: true}, malformed(tier, score, asOf)},
		"numbers for all":       {map[string]any{tier: 1, insured: 1, asOf: 1763899200}, malformed(tier, insured, asOf)},
		"lists for all": {
			map[string]any{tier: []string{"CERTIFIED"}, score: []int{87}, insured: []bool{true}, asOf: []int{}},
			malformed(tier, score, insured, asOf),
		},
		"objects for all": {
			map[string]any{tier: map[string]any{}, score: map[string]any{"a": 1}, insured: map[string]any{}, asOf: map[string]any{}},
			malformed(tier, score, insured, asOf),
		},
		"a tier of the future": {map[string]any{tier: "GRAND_MASTER"}, malformed(tier)},
		"another case":         {map[string]any{tier: "certified", insured: "True"}, malformed(tier, insured)},
		"a date":               {map[string]any{asOf: "2026-11-23"}, malformed(asOf)},
		"one of them is wrong": {map[string]any{score: "?", insured: true}, claims.Claims{InsuranceValid: new(true), Malformed: []string{score}}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			override := map[string]any{tier: nil, score: nil, insured: nil, asOf: nil}
			for claim, value := range test.token {
				override[claim] = value
			}
			before := r.count.of("malformed " + score)
			got, err := r.Verify(t.Context(), r.mint(with(override)))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, *got, ofTheUser); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if got.OrganizationID != "org_1" {
				t.Errorf("organization %q", got.OrganizationID)
			}
			counted := r.count.of("malformed "+score) - before
			if want := map[bool]int{true: 1}[slices.Contains(test.want.Malformed, score)]; counted != want {
				t.Errorf("%d malformed scores are counted, want %d", counted, want)
			}
		})
	}
}

// Whoever has no active organization has no claims, nor one that was never linked: both are null in the token.
func TestAbsentClaims(t *testing.T) {
	r := newReader(t)
	r.clerk.AddOrganization("org_2", "Beta")
	for organization, id := range map[string]string{"none": "", "never linked": "org_2"} {
		got, err := r.Verify(t.Context(), r.mint(inOrganization(id)))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(none, *got, ofTheUser); diff != "" || got.OrganizationID != id {
			t.Errorf("%s: %q (-want +got):\n%s", organization, got.OrganizationID, diff)
		}
	}
}

// The customization of the token may call them otherwise.
func TestNames(t *testing.T) {
	r := newReader(t, func(c *claims.Config) { c.Names = claims.Names{Tier: "tier", AsOf: "at"} })
	got, err := r.Verify(t.Context(), r.mint(with(map[string]any{"tier": "ACCREDITED", "at": "2026-11-23T12:00:00Z"})))
	if err != nil {
		t.Fatal(err)
	}
	if *got.Tier != claims.Accredited || *got.Score != 87 || got.AsOf.Hour() != 12 {
		t.Errorf("got %+v", got)
	}
}

func TestTierAtLeast(t *testing.T) {
	t.Parallel()
	inOrder := []claims.Tier{claims.Accredited, claims.Certified, claims.MasterRoofer}
	for i, tier := range inOrder {
		for j, least := range inOrder {
			if got := tier.AtLeast(least); got != (i >= j) {
				t.Errorf("%s at least %s: %t", tier, least, got)
			}
		}
		for _, unknown := range []claims.Tier{"", "certified", "GRAND_MASTER"} {
			if tier.AtLeast(unknown) || unknown.AtLeast(tier) || unknown.AtLeast(unknown) {
				t.Errorf("%s and %q can be compared", tier, unknown)
			}
		}
	}
}
