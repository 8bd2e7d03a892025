package scoring_test

import (
	"errors"
	"fmt"
	"time"

	"github.com/claimsync/claimsync/scoring"
)

// A company whose only policy ends in a year, calculated at two instants.
func ExampleCalculate() {
	now := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	facts := &scoring.Facts{InsurancePolicies: []scoring.InsurancePolicy{{
		Type: scoring.PublicLiability, CoverageAmount: scoring.Dollars(5_000_000), ExpiryDate: now.AddDate(1, 0, 0),
	}}}
	result := scoring.Calculate(now, scoring.Certified, facts)
	fmt.Println(result.OverallScore, result.Metadata.InsuranceValid)
	fmt.Println("changes at", result.NextChange.Format(time.RFC3339))

	result = scoring.Calculate(now.AddDate(1, 0, 1), scoring.Certified, facts)
	fmt.Println(result.OverallScore, result.Metadata.InsuranceValid)
	// Output:
	// 13 true
	// changes at 2027-09-02T00:00:00Z
	// 5 false
}

// What is not understood is refused, by the name of the field.
func ExampleDecode() {
	var facts scoring.Facts
	err := scoring.Decode([]byte(`{"audits": [{"rating": "SPLENDID"}]}`), &facts)
	problems, _ := errors.AsType[scoring.Problems](err)
	fmt.Println(problems[0].Field)
	// Output: audits[0].rating
}
