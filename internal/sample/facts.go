package sample

import (
	"fmt"
	"math"
	"time"

	"github.com/claimsync/claimsync/scoring"
)

// facts gives every list, even if empty: a company of the sample is known completely.
func (m maker) facts(p *profile, tier scoring.Tier) scoring.Facts {
	f := scoring.Facts{
		Documents:         []scoring.Document{},
		Assessments:       []scoring.Assessment{},
		InsurancePolicies: []scoring.InsurancePolicy{},
		Members:           []scoring.Member{},
		Audits:            []scoring.Audit{},
		CAPARecords:       []scoring.CAPARecord{},
	}
	for _, element := range scoring.Elements() {
		m.document(p, &f, element)
		m.assess(p, &f, element)
	}
	for _, policy := range scoring.PolicyTypes() {
		m.insure(p, &f, policy, tier)
	}
	for i := range m.between(p.members) {
		f.Members = append(f.Members, m.member(p, i))
	}
	m.audit(p, &f)
	for range m.IntN(p.capaMost + 1) {
		f.CAPARecords = append(f.CAPARecords, scoring.CAPARecord{Status: pick(m, p.capas...)})
	}
	return f
}

func (m maker) document(p *profile, f *scoring.Facts, element scoring.Element) {
	if !m.chance(p.documented) {
		return
	}
	add := func(status scoring.DocumentStatus, deleted bool) {
		f.Documents = append(f.Documents, scoring.Document{Element: element, Status: status, Deleted: deleted})
	}
	if m.chance(p.approved) {
		add(scoring.DocumentApproved, false)
	} else {
		add(pick(m, scoring.DocumentDraft, scoring.DocumentPendingApproval), false)
	}
	if m.chance(0.3) { // an older edition
		add(pick(m, scoring.DocumentSuperseded, scoring.DocumentArchived), false)
	}
	if m.chance(0.05) {
		add(scoring.DocumentApproved, true)
	}
}

func (m maker) assess(p *profile, f *scoring.Facts, element scoring.Element) {
	if !m.chance(p.assessed) {
		return
	}
	score := math.Round(2*(p.lowest+m.Float64()*(100-p.lowest))) / 2 // in halves, as assessors give them
	a := scoring.Assessment{Element: element, Status: scoring.NonCompliant, Score: score}
	switch {
	case score >= 85:
		a.Status = scoring.Compliant
	case score >= 40:
		a.Status = scoring.Partial
	}
	f.Assessments = append(f.Assessments, a)
}

func (m maker) insure(p *profile, f *scoring.Facts, policy scoring.PolicyType, tier scoring.Tier) {
	add := func(coverage scoring.Money, expiry time.Time) {
		f.InsurancePolicies = append(f.InsurancePolicies,
			scoring.InsurancePolicy{Type: policy, CoverageAmount: coverage, ExpiryDate: expiry})
	}
	minimum, required := scoring.MinimumCoverage(tier, policy)
	if !required {
		if len(p.expiries) > 0 && m.chance(0.4) {
			add(pick(m, scoring.Dollars(250_000), scoring.Dollars(1_000_000)), m.in(pick(m, p.expiries...)))
		}
		return
	}
	if m.chance(0.3 * p.insured) { // last year's policy
		add(minimum, m.in(-pick(m, 20, 120, 250)))
	}
	if !m.chance(p.insured) {
		return
	}
	if !m.chance(p.sufficient) {
		add(minimum/2, m.in(pick(m, p.expiries...)))
		return
	}
	expiresIn := pick(m, p.expiries...)
	add(minimum*pick[scoring.Money](m, 1, 1, 2), m.in(expiresIn))
	if expiresIn <= 30 && m.chance(0.3) { // renewed early
		add(minimum, m.in(expiresIn+365))
	}
}

func (m maker) member(p *profile, i int) scoring.Member {
	member := scoring.Member{Role: pick(m, scoring.Staff, scoring.Staff, scoring.Admin)}
	if i == 0 && m.chance(p.owner) {
		member.Role = scoring.Owner
	}
	// The first two of a company that holds licences hold one, as in a trade led by its practitioners.
	if !m.chance(p.licensed) && (i >= 2 || p.licensed < 0.7) {
		return member
	}
	number := fmt.Sprintf("BP%06d", 100_000+m.IntN(100_000))
	status, expiry := scoring.LBPCurrent, m.in(30+m.IntN(700))
	member.LBPNumber, member.LBPExpiry = &number, &expiry
	if m.chance(p.licenceLapsed) {
		status, expiry = scoring.LBPExpired, m.in(-1-m.IntN(200))
	} else if member.LBPVerified = m.chance(p.verified); !member.LBPVerified {
		status = pick(m, scoring.LBPNotFound, scoring.LBPSuspended, scoring.LBPCancelled)
		if m.chance(0.5) {
			return member // not looked up yet
		}
	}
	member.LBPStatus = &status
	return member
}

func (m maker) audit(p *profile, f *scoring.Facts) {
	if m.chance(p.audited) {
		age := m.between(p.auditAge)
		for range 1 + m.IntN(2) {
			completed, rating := m.in(-age), pick(m, p.ratings...)
			f.Audits = append(f.Audits, scoring.Audit{CompletedAt: &completed, Rating: &rating})
			age += 365
		}
		if m.chance(0.05) { // the auditor's report is still to come
			f.Audits[0].Rating = nil
		}
	}
	if m.chance(0.2) { // planned
		f.Audits = append(f.Audits, scoring.Audit{})
	}
}
