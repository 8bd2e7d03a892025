package scoring

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var testNow = time.Date(2026, 5, 22, 14, 15, 41, 123_456_000, time.UTC)

const days = 24 * time.Hour

func ptr[T any](v T) *T { return &v }

// flawless facts score 100 at the CERTIFIED tier, whose minimum cover they meet to the cent.
func flawless() *Facts {
	f := &Facts{
		InsurancePolicies: []InsurancePolicy{
			{PublicLiability, Dollars(2_000_000), testNow.Add(200 * days)},
			{ProfessionalIndemnity, Dollars(1_000_000), testNow.Add(200 * days)},
			{StatutoryLiability, Dollars(1_000_000), testNow.Add(200 * days)},
		},
		Members: []Member{
			{Owner, ptr("BP100001"), true, ptr(LBPCurrent), ptr(testNow.Add(300 * days))},
			{Staff, ptr("BP100002"), true, ptr(LBPCurrent), ptr(testNow.Add(300 * days))},
		},
		Audits: []Audit{{ptr(testNow.Add(-100 * days)), ptr(Pass)}},
	}
	for _, element := range Elements() {
		f.Assessments = append(f.Assessments, Assessment{element, Compliant, 100})
	}
	return f
}

// scores are what the rules are tested by.
type scores struct {
	Overall, Documentation, Insurance, Personnel, Audit int
	InsuranceValid                                      bool
	Codes                                               []string
	BlockerCount                                        int
}

func scoresOf(r Result) scores {
	s := scores{
		Overall:        r.OverallScore,
		Documentation:  r.Breakdown.Documentation.Score,
		Insurance:      r.Breakdown.Insurance.Score,
		Personnel:      r.Breakdown.Personnel.Score,
		Audit:          r.Breakdown.Audit.Score,
		InsuranceValid: r.Metadata.InsuranceValid,
		BlockerCount:   r.TierEligibility.BlockerCount,
	}
	for _, issue := range r.Issues {
		s.Codes = append(s.Codes, issue.Code)
	}
	return s
}

func TestCalculateRules(t *testing.T) {
	t.Parallel()
	policy := func(expiresIn time.Duration, coverage Money) func(*Facts) {
		return func(f *Facts) {
			f.InsurancePolicies[0].ExpiryDate = testNow.Add(expiresIn)
			f.InsurancePolicies[0].CoverageAmount = coverage
		}
	}
	licence := func(expiresIn time.Duration) func(*Facts) {
		return func(f *Facts) { f.Members[0].LBPExpiry = ptr(testNow.Add(expiresIn)) }
	}
	audited := func(ago time.Duration, rating *AuditRating) func(*Facts) {
		return func(f *Facts) { f.Audits = []Audit{{ptr(testNow.Add(-ago)), rating}} }
	}
	assessed := func(score float64, statuses ...DocumentStatus) func(*Facts) {
		return func(f *Facts) {
			f.Assessments[0].Score = score
			for _, status := range statuses {
				f.Documents = append(f.Documents, Document{QualityPolicy, status, false})
			}
		}
	}
	documented := func(documents ...Document) func(*Facts) {
		return func(f *Facts) { f.Documents, f.Assessments = documents, f.Assessments[1:] }
	}
	const cover, micro = 2_000_000_00, time.Microsecond

	tests := []struct {
		name   string
		change func(*Facts)
		want   scores // a score left 0 means 100, and -1 means 0
	}{
		{"flawless", func(*Facts) {}, scores{}},

		{"assessed 0", assessed(0), scores{Overall: 97, Documentation: 93, Codes: []string{"DOC_MISSING_QUALITY_POLICY"}}},
		{"assessed below 50", assessed(49.99, DocumentDraft),
			scores{Overall: 98, Documentation: 96, Codes: []string{"DOC_PENDING_QUALITY_POLICY"}}},
		{"assessed 50", assessed(50), scores{Overall: 98, Documentation: 96}},
		{"assessed below 50 with an approved document", assessed(49.99, DocumentApproved),
			scores{Overall: 98, Documentation: 96}},
		{"not assessed, nothing", documented(),
			scores{Overall: 97, Documentation: 93, Codes: []string{"DOC_MISSING_QUALITY_POLICY"}}},
		{"not assessed, draft", documented(Document{QualityPolicy, DocumentDraft, false}),
			scores{Overall: 98, Documentation: 95, Codes: []string{"DOC_PENDING_QUALITY_POLICY"}}},
		{"not assessed, approved", documented(Document{QualityPolicy, DocumentApproved, false}),
			scores{Overall: 99, Documentation: 98}},
		{"not assessed, approved but deleted",
			documented(Document{QualityPolicy, DocumentApproved, true}, Document{QualityPolicy, DocumentArchived, false}),
			scores{Overall: 98, Documentation: 95, Codes: []string{"DOC_PENDING_QUALITY_POLICY"}}},

		{"60 days and a microsecond", policy(60*days+micro, cover), scores{}},
		{"60 days", policy(60*days, cover),
			scores{Overall: 99, Insurance: 95, Codes: []string{"INS_EXPIRING_SOON_PUBLIC_LIABILITY"}}},
		{"30 days and a microsecond", policy(30*days+micro, cover),
			scores{Overall: 99, Insurance: 95, Codes: []string{"INS_EXPIRING_SOON_PUBLIC_LIABILITY"}}},
		{"30 days", policy(30*days, cover),
			scores{Overall: 98, Insurance: 90, Codes: []string{"INS_EXPIRING_PUBLIC_LIABILITY"}}},
		{"last microsecond", policy(micro, cover),
			scores{Overall: 98, Insurance: 90, Codes: []string{"INS_EXPIRING_PUBLIC_LIABILITY"}}},
		{"finer than a microsecond", policy(1, cover),
			scores{Overall: 92, Insurance: 67, Codes: []string{"INS_MISSING_PUBLIC_LIABILITY"}, BlockerCount: 1}},
		{"expires now: valid, not in force", policy(0, cover),
			scores{Overall: 92, Insurance: 67, Codes: []string{"INS_MISSING_PUBLIC_LIABILITY"}, BlockerCount: 1}},
		{"expired", policy(-micro, cover),
			scores{Overall: 92, Insurance: 67, Codes: []string{"INS_MISSING_PUBLIC_LIABILITY"}, BlockerCount: 1}},
		{"a cent short", policy(200*days, cover-1),
			scores{Overall: 96, Insurance: 83, Codes: []string{"INS_INSUFFICIENT_PUBLIC_LIABILITY"}}},
		{"short and expiring", policy(micro, 0),
			scores{Overall: 96, Insurance: 83, Codes: []string{"INS_INSUFFICIENT_PUBLIC_LIABILITY"}}},

		{"licence expires now", licence(0), scores{}},
		{"licence expired", licence(-micro),
			scores{Overall: 99, Personnel: 90, Codes: []string{"PERS_EXPIRED_LBP"}, BlockerCount: 1}},
		{"both licences expired", func(f *Facts) {
			f.Members[0].LBPExpiry, f.Members[1].LBPExpiry = ptr(testNow.Add(-1*days)), ptr(testNow.Add(-2*days))
		}, scores{Overall: 99, Personnel: 90, Codes: []string{"PERS_EXPIRED_LBP"}, BlockerCount: 1}},
		{"no owner", func(f *Facts) { f.Members[0].Role = Admin },
			scores{Overall: 96, Personnel: 70, Codes: []string{"PERS_NO_OWNER"}}},
		{"some verified", func(f *Facts) { f.Members[1].LBPVerified = false },
			scores{Overall: 97, Personnel: 80, Codes: []string{"PERS_UNVERIFIED_LBP"}, BlockerCount: 1}},
		{"none verified", func(f *Facts) { f.Members[0].LBPVerified, f.Members[1].LBPVerified = false, false },
			scores{Overall: 95, Personnel: 65, Codes: []string{"PERS_NO_VERIFIED_LBP"}, BlockerCount: 1}},
		{"no licences, but verified", func(f *Facts) { f.Members[0].LBPNumber, f.Members[1].LBPNumber = nil, ptr("") },
			scores{Overall: 93, Personnel: 50, Codes: []string{"PERS_NO_LBP"}, BlockerCount: 1}},
		{"single member", func(f *Facts) { f.Members = f.Members[:1] },
			scores{Overall: 99, Personnel: 90, Codes: []string{"PERS_SINGLE_STAFF"}, BlockerCount: 1}},
		{"an expired licence and nothing else", func(f *Facts) {
			f.Members = []Member{{Role: Staff, LBPExpiry: ptr(testNow.Add(-days))}}
		}, scores{Overall: 85, Personnel: -1, BlockerCount: 3,
			Codes: []string{"PERS_NO_OWNER", "PERS_NO_LBP", "PERS_EXPIRED_LBP", "PERS_SINGLE_STAFF"}}},

		{"365 days", audited(365*days, ptr(Pass)), scores{}},
		{"almost 366 days", audited(366*days-micro, ptr(Pass)), scores{}},
		{"366 days", audited(366*days, ptr(Pass)), scores{Overall: 98, Audit: 80, Codes: []string{"AUDIT_OVERDUE"}}},
		{"three centuries", audited(time.Duration(1<<63-1), ptr(Pass)),
			scores{Overall: 98, Audit: 80, Codes: []string{"AUDIT_OVERDUE"}}},
		{"with observations", audited(0, ptr(PassWithObservations)), scores{Overall: 99, Audit: 85}},
		{"conditional and overdue", audited(400*days, ptr(ConditionalPass)),
			scores{Overall: 94, Audit: 40, Codes: []string{"AUDIT_CONDITIONAL", "AUDIT_OVERDUE"}}},
		{"failed", audited(0, ptr(Fail)), scores{Overall: 93, Audit: 30, Codes: []string{"AUDIT_FAILED"}, BlockerCount: 1}},
		{"no rating", audited(0, nil), scores{}},
		{"not completed", func(f *Facts) { f.Audits = []Audit{{nil, ptr(Fail)}} },
			scores{Overall: 95, Audit: 50, Codes: []string{"AUDIT_NONE"}}},
		{"the latest counts", func(f *Facts) {
			f.Audits = append(f.Audits, Audit{ptr(testNow.Add(-200 * days)), ptr(Fail)}, Audit{nil, ptr(Fail)})
		}, scores{}},
		{"corrective actions", func(f *Facts) {
			f.CAPARecords = []CAPARecord{{CAPAOpen}, {CAPAOverdue}, {CAPAClosed}, {CAPAOverdue}}
		}, scores{Overall: 98, Audit: 80, Codes: []string{"CAPA_OVERDUE"}, BlockerCount: 1}},
		{"too many corrective actions", func(f *Facts) {
			for range 30 {
				f.CAPARecords = append(f.CAPARecords, CAPARecord{CAPAOverdue})
			}
		}, scores{Overall: 90, Audit: -1, Codes: []string{"CAPA_OVERDUE"}, BlockerCount: 1}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			f := flawless()
			test.change(f)
			if err := f.Validate().Err(); err != nil {
				t.Fatal(err)
			}
			got := scoresOf(Calculate(testNow, Certified, f))
			want := test.want
			for _, score := range []*int{&want.Overall, &want.Documentation, &want.Insurance, &want.Personnel, &want.Audit} {
				switch *score {
				case 0:
					*score = 100
				case -1:
					*score = 0
				}
			}
			want.InsuranceValid = !f.InsurancePolicies[0].ExpiryDate.Before(testNow)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
