package scoring

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// maxLBPNumber is the longest licence number, in characters.
const maxLBPNumber = 64

// Validate reports everything that keeps a snapshot from being scored.
func (s *Snapshot) Validate() Problems {
	var ps Problems
	checkTime(&ps, s.Now, "now")
	checkWord(&ps, tiers, s.CertificationTier, "certification_tier")
	return append(ps, s.Facts.Validate()...)
}

// Validate reports everything that keeps the facts from being scored or stored.
func (f *Facts) Validate() Problems {
	var ps Problems
	validateEach(&ps, "documents", f.Documents, (*Document).validate)
	validateEach(&ps, "assessments", f.Assessments, (*Assessment).validate)
	f.checkAssessedOnce(&ps)
	validateEach(&ps, "insurance_policies", f.InsurancePolicies, (*InsurancePolicy).validate)
	validateEach(&ps, "members", f.Members, (*Member).validate)
	validateEach(&ps, "audits", f.Audits, (*Audit).validate)
	validateEach(&ps, "capa_records", f.CAPARecords, (*CAPARecord).validate)
	return ps
}

// validateEach validates the items of a list, and places what their validation finds in the list.
func validateEach[T any](ps *Problems, list string, items []T, validate func(*T, *Problems)) {
	for i := range items {
		before := len(*ps)
		validate(&items[i], ps)
		for j := range (*ps)[before:] {
			p := &(*ps)[before+j]
			p.Field = fmt.Sprintf("%s[%d].%s", list, i, p.Field)
		}
	}
}

func (d *Document) validate(ps *Problems) {
	checkWord(ps, elements, d.Element, "iso_element")
	checkWord(ps, documentStatuses, d.Status, "status")
}

func (a *Assessment) validate(ps *Problems) {
	checkWord(ps, elements, a.Element, "iso_element")
	checkWord(ps, assessmentStatuses, a.Status, "status")
	switch {
	case a.Score == absentScore:
		ps.add("score", "%v", errAbsent)
	case !isPercentage(a.Score):
		ps.add("score", "must be between 0 and 100, got %v", a.Score)
	}
}

// checkStored checks what the table sees to, but a view in its place does not, and is wrong without being noticed.
func (a *Assessment) checkStored() error {
	if !isPercentage(a.Score) {
		return fmt.Errorf("scoring: the score of an assessment must be between 0 and 100, got %v", a.Score)
	}
	return nil
}

func isPercentage(score float64) bool { return score >= 0 && score <= 100 } // NaN is not

func (f *Facts) checkAssessedOnce(ps *Problems) {
	var position [elementCount]int // from 1
	for i := range f.Assessments {
		element := f.Assessments[i].Element
		if !elements.valid(element) {
			continue
		}
		if first := &position[element-1]; *first > 0 {
			ps.add(fmt.Sprintf("assessments[%d].iso_element", i),
				"must be assessed only once, but %s is also in assessments[%d]", element, *first-1)
		} else {
			*first = i + 1
		}
	}
}

func (p *InsurancePolicy) validate(ps *Problems) {
	checkWord(ps, policyTypes, p.Type, "policy_type")
	switch {
	case p.CoverageAmount == absentMoney:
		ps.add("coverage_amount", "%v", errAbsent)
	case p.CoverageAmount < 0:
		ps.add("coverage_amount", "%v", errMoneyNegative)
	case p.CoverageAmount > MaxMoney:
		ps.add("coverage_amount", "%v", errMoneyTooLarge)
	}
	checkTime(ps, p.ExpiryDate, "expiry_date")
}

func (m *Member) validate(ps *Problems) {
	checkWord(ps, roles, m.Role, "role")
	if m.LBPNumber != nil {
		checkText(ps, *m.LBPNumber, maxLBPNumber, "lbp_number")
	}
	if m.LBPStatus != nil {
		checkWord(ps, lbpStatuses, *m.LBPStatus, "lbp_status")
	}
	if m.LBPExpiry != nil {
		checkTime(ps, *m.LBPExpiry, "lbp_expiry")
	}
}

func (a *Audit) validate(ps *Problems) {
	if a.CompletedAt != nil {
		checkTime(ps, *a.CompletedAt, "completed_at")
	}
	if a.Rating != nil {
		checkWord(ps, auditRatings, *a.Rating, "rating")
	}
}

func (c *CAPARecord) validate(ps *Problems) { checkWord(ps, capaStatuses, c.Status, "status") }

func checkWord[E ~uint8](ps *Problems, set words[E], word E, field string) {
	switch {
	case word == 0:
		ps.add(field, "%v", errAbsent)
	case !set.valid(word):
		ps.add(field, "must be one of %s", strings.Join(set.names, ", "))
	}
}

func checkTime(ps *Problems, t time.Time, field string) {
	switch year := t.UTC().Year(); {
	case t.Equal(absentTime):
		ps.add(field, "%v", errAbsent)
	case year < 1 || year > 9999:
		ps.add(field, "%v, got %d", errYear, year)
	}
}

func checkText(ps *Problems, text string, longest int, field string) {
	switch {
	case utf8.RuneCountInString(text) > longest:
		ps.add(field, "must have at most %d characters", longest)
	case strings.ContainsRune(text, 0):
		ps.add(field, "must not contain the NUL character")
	case !utf8.ValidString(text):
		ps.add(field, "must be valid UTF-8")
	}
}
