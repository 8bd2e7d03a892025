package sample

import "github.com/claimsync/claimsync/scoring"

// profile is how well a company keeps its affairs in order. Probabilities are 0..1.
type profile struct {
	documented float64 // an element has documents
	approved   float64 // a document is approved
	assessed   float64 // an element is assessed
	lowest     float64 // assessment score; the highest is 100

	insured    float64 // a required policy is in force
	sufficient float64 // its cover suffices
	expiries   []int   // days to the expiry of a policy in force

	members       [2]int  // fewest and most
	owner         float64 // there is one
	licensed      float64 // a member holds a licence
	verified      float64 // a licence is verified
	licenceLapsed float64 // a licence has expired

	audited  float64 // an audit was completed
	auditAge [2]int  // days, least and most
	ratings  []scoring.AuditRating
	capas    []scoring.CAPAStatus // one of them for each corrective action
	capaMost int

	tiers []scoring.Tier
}

// profiles come with their share of all companies, in percent.
var profiles = []struct {
	share int
	profile
}{
	{25, profile{ // exemplary: mostly ready for the next tier
		documented: 1, approved: 0.95, assessed: 0.9, lowest: 92,
		insured: 1, sufficient: 1, expiries: []int{75, 200, 200, 310, 340},
		members: [2]int{3, 12}, owner: 1, licensed: 0.8, verified: 1,
		audited: 1, auditAge: [2]int{20, 330},
		ratings:  []scoring.AuditRating{scoring.Pass, scoring.Pass, scoring.PassWithObservations},
		capas:    []scoring.CAPAStatus{scoring.CAPAClosed, scoring.CAPAClosed, scoring.CAPAPendingVerification},
		capaMost: 3,
		tiers:    []scoring.Tier{scoring.Accredited, scoring.Certified, scoring.Certified, scoring.MasterRoofer},
	}},
	{40, profile{ // sound, with something always about to expire
		documented: 0.95, approved: 0.8, assessed: 0.6, lowest: 65,
		insured: 0.98, sufficient: 0.95, expiries: []int{5, 29, 45, 75, 200, 200, 310},
		members: [2]int{2, 8}, owner: 1, licensed: 0.6, verified: 0.9, licenceLapsed: 0.03,
		audited: 0.95, auditAge: [2]int{30, 420},
		ratings:  []scoring.AuditRating{scoring.Pass, scoring.PassWithObservations},
		capas:    []scoring.CAPAStatus{scoring.CAPAOpen, scoring.CAPAInProgress, scoring.CAPAClosed, scoring.CAPAClosed},
		capaMost: 3,
		tiers:    []scoring.Tier{scoring.Accredited, scoring.Accredited, scoring.Certified, scoring.MasterRoofer},
	}},
	{20, profile{ // behind with its paperwork
		documented: 0.75, approved: 0.5, assessed: 0.4, lowest: 30,
		insured: 0.85, sufficient: 0.8, expiries: []int{5, 29, 45, 75, 200},
		members: [2]int{1, 5}, owner: 0.9, licensed: 0.5, verified: 0.6, licenceLapsed: 0.1,
		audited: 0.8, auditAge: [2]int{100, 700},
		ratings:  []scoring.AuditRating{scoring.PassWithObservations, scoring.ConditionalPass},
		capas:    []scoring.CAPAStatus{scoring.CAPAOpen, scoring.CAPAInProgress, scoring.CAPAOverdue, scoring.CAPAClosed},
		capaMost: 4,
		tiers:    []scoring.Tier{scoring.Accredited, scoring.Accredited, scoring.Certified},
	}},
	{12, profile{ // in trouble
		documented: 0.4, approved: 0.25, assessed: 0.3, lowest: 0,
		insured: 0.5, sufficient: 0.6, expiries: []int{5, 29, 45},
		members: [2]int{1, 3}, owner: 0.7, licensed: 0.4, verified: 0.3, licenceLapsed: 0.4,
		audited: 0.7, auditAge: [2]int{200, 1200},
		ratings:  []scoring.AuditRating{scoring.ConditionalPass, scoring.Fail, scoring.Fail},
		capas:    []scoring.CAPAStatus{scoring.CAPAOpen, scoring.CAPAOverdue, scoring.CAPAOverdue},
		capaMost: 6,
		tiers:    []scoring.Tier{scoring.Accredited, scoring.Accredited, scoring.Certified},
	}},
	{3, profile{ // just registered: next to nothing yet
		members: [2]int{0, 1}, owner: 1,
		tiers: []scoring.Tier{scoring.Accredited},
	}},
}

func (m maker) profile() *profile {
	at := m.IntN(100)
	for i := range profiles {
		if at -= profiles[i].share; at < 0 {
			chosen := profiles[i].profile
			return &chosen
		}
	}
	panic("sample: the shares are less than 100 percent")
}

func (m maker) tier(p *profile) scoring.Tier { return pick(m, p.tiers...) }

// between returns a whole number of a range, both ends included.
func (m maker) between(ends [2]int) int { return ends[0] + m.IntN(ends[1]-ends[0]+1) }
