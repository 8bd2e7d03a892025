package scoring

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func wordGen[E any](words []E) *rapid.Generator[E] { return rapid.SampledFrom(words) }

// timeGen prefers the times at which the rules change their mind, and the same time twice.
var timeGen = rapid.Custom(func(t *rapid.T) time.Time {
	offset := rapid.SampledFrom([]time.Duration{
		-366 * days, -365 * days, -days, 0, 5 * days, 30 * days, 45 * days, 60 * days, 75 * days, 400 * days,
	}).Draw(t, "offset")
	nudge := rapid.SampledFrom([]time.Duration{-time.Microsecond, 0, time.Microsecond}).Draw(t, "nudge")
	return testNow.Add(offset + nudge)
})

var moneyGen = rapid.OneOf(
	rapid.SampledFrom([]Money{0, Dollars(500_000) - 1, Dollars(1_000_000), Dollars(2_000_000), Dollars(5_000_000)}),
	rapid.Custom(func(t *rapid.T) Money { return Money(rapid.Int64Range(0, int64(MaxMoney)).Draw(t, "cents")) }),
)

var tierGen = wordGen(Tiers())

var factsGen = rapid.Custom(func(t *rapid.T) Facts {
	list := func() int { return rapid.IntRange(0, 6).Draw(t, "length") }
	f := Facts{}
	for range list() {
		f.Documents = append(f.Documents, Document{wordGen(Elements()).Draw(t, "element"),
			wordGen(documentStatuses.all()).Draw(t, "status"), rapid.Bool().Draw(t, "deleted")})
	}
	for _, element := range rapid.SliceOfDistinct(wordGen(Elements()), rapid.ID).Draw(t, "assessed") {
		f.Assessments = append(f.Assessments, Assessment{element,
			wordGen(assessmentStatuses.all()).Draw(t, "status"), rapid.Float64Range(0, 100).Draw(t, "score")})
	}
	for range list() {
		f.InsurancePolicies = append(f.InsurancePolicies, InsurancePolicy{wordGen(PolicyTypes()).Draw(t, "type"),
			moneyGen.Draw(t, "coverage"), timeGen.Draw(t, "expiry")})
	}
	for range list() {
		f.Members = append(f.Members, Member{wordGen(roles.all()).Draw(t, "role"),
			rapid.Ptr(rapid.SampledFrom([]string{"", "BP1"}), true).Draw(t, "number"), rapid.Bool().Draw(t, "verified"),
			rapid.Ptr(wordGen(lbpStatuses.all()), true).Draw(t, "status"), rapid.Ptr(timeGen, true).Draw(t, "expiry")})
	}
	for range list() {
		f.Audits = append(f.Audits, Audit{rapid.Ptr(timeGen, true).Draw(t, "completed"),
			rapid.Ptr(wordGen(auditRatings.all()), true).Draw(t, "rating")})
	}
	for range list() {
		f.CAPARecords = append(f.CAPARecords, CAPARecord{wordGen(capaStatuses.all()).Draw(t, "status")})
	}
	return f
})

func TestScoresAreInRange(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		f := factsGen.Draw(t, "facts")
		if err := f.Validate().Err(); err != nil {
			t.Fatalf("the generator makes invalid facts: %v", err)
		}
		o := outputsAt(timeGen.Draw(t, "now"), tierGen.Draw(t, "tier"), &f)
		for _, score := range []int{o.overall, o.documentation, o.insurance, o.personnel, o.audit} {
			if score < 0 || score > 100 {
				t.Fatalf("out of range: %+v", o)
			}
		}
	})
}

func TestOrderDoesNotMatter(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		f, tier := factsGen.Draw(t, "facts"), tierGen.Draw(t, "tier")
		shuffled := Facts{
			rapid.Permutation(f.Documents).Draw(t, "documents"),
			rapid.Permutation(f.Assessments).Draw(t, "assessments"),
			rapid.Permutation(f.InsurancePolicies).Draw(t, "policies"),
			rapid.Permutation(f.Members).Draw(t, "members"),
			rapid.Permutation(f.Audits).Draw(t, "audits"),
			rapid.Permutation(f.CAPARecords).Draw(t, "capas"),
		}
		want, got := Calculate(testNow, tier, &f), Calculate(testNow, tier, &shuffled)
		if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b Timestamp) bool { return a == b })); diff != "" {
			t.Fatalf("(-want +got):\n%s", diff)
		}
	})
}

// The span of all the years allowed does not fit in a time.Duration.
func TestCalculateFarApart(t *testing.T) {
	t.Parallel()
	early := time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC)
	late := time.Date(9999, 12, 31, 23, 59, 59, 999_999_000, time.UTC)
	f := flawless()
	f.Audits = []Audit{{&early, ptr(Pass)}}
	f.InsurancePolicies[0].ExpiryDate, f.Members[0].LBPExpiry = early, &early
	r := Calculate(late, Certified, f)
	if got := *r.Breakdown.Audit.Details.DaysSinceLastAudit; got != 3652058 {
		t.Errorf("%d days since the last audit", got)
	}
	f.InsurancePolicies[0].ExpiryDate, f.Members[0].LBPExpiry = late, &late
	r = Calculate(early, Certified, f)
	if got := *r.Breakdown.Insurance.Policies[0].ExpiresInDays; got != 3652059 {
		t.Errorf("%d days to the expiry", got)
	}
	if want := early.Add(366 * days); !r.NextChange.Equal(want) {
		t.Errorf("next change at %v, want %v", r.NextChange, want)
	}
}
