package scoring

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// Where several policies of a type are in force, an early renewal counts at once.
func TestSeveralPoliciesInForce(t *testing.T) {
	t.Parallel()
	const minimum = 2_000_000_00 // CERTIFIED
	policy := func(expiresIn time.Duration, coverage Money) InsurancePolicy {
		return InsurancePolicy{PublicLiability, coverage, testNow.Add(expiresIn)}
	}
	type shown struct {
		Score, ExpiresInDays int
		Coverage             Money
		NextChangeIn         time.Duration
	}
	tests := []struct {
		name     string
		policies []InsurancePolicy
		want     shown
	}{
		{"early renewal", []InsurancePolicy{policy(10*days, minimum), policy(375*days, minimum)},
			shown{100, 375, minimum, 140 * days}}, // when the other types have 60 days left
		{"the better score before the later expiry", []InsurancePolicy{policy(375*days, minimum-1), policy(40*days, minimum)},
			shown{85, 40, minimum, 10 * days}},
		{"among equals the later expiry", []InsurancePolicy{policy(100*days, minimum+9), policy(70*days, minimum)},
			shown{100, 100, minimum + 9, 40 * days}},
		{"on the same day the higher cover", []InsurancePolicy{policy(70*days, minimum+9), policy(70*days, minimum)},
			shown{100, 70, minimum + 9, 10 * days}},
		{"both insufficient", []InsurancePolicy{policy(7*days, 1), policy(5*days, 2)},
			shown{50, 7, 1, 7 * days}},
		{"an expired one does not count", []InsurancePolicy{policy(-time.Microsecond, minimum), policy(20*days, 0)},
			shown{50, 20, 0, 20 * days}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			for range 2 {
				f := flawless()
				f.InsurancePolicies = append(f.InsurancePolicies[1:], test.policies...)
				result := Calculate(testNow, Certified, f)
				public := result.Breakdown.Insurance.Policies[PublicLiability-1]
				got := shown{public.Score, *public.ExpiresInDays, *public.ActualCoverage, result.NextChange.Sub(testNow)}
				if diff := cmp.Diff(test.want, got); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
				test.policies[0], test.policies[1] = test.policies[1], test.policies[0]
			}
		})
	}
}

func TestPolicyNotRequired(t *testing.T) {
	t.Parallel()
	f := flawless()
	f.InsurancePolicies = append(f.InsurancePolicies, InsurancePolicy{MotorVehicle, 150, testNow.Add(time.Microsecond)})
	want := PolicyScore{Type: MotorVehicle, ActualCoverage: ptr(Money(150)), ExpiresInDays: ptr(1)}
	result := Calculate(testNow, Certified, f)
	if diff := cmp.Diff(want, result.Breakdown.Insurance.Policies[MotorVehicle-1]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if want := testNow.Add(140 * days); !result.NextChange.Equal(want) {
		t.Errorf("next change at %v, want %v", result.NextChange, want)
	}
}
