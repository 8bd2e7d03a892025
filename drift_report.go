package claimsync

import (
	"cmp"
	"slices"
	"time"

	"github.com/claimsync/claimsync/clerk"
)

// DriftKind is in what an organization differs between Clerk and Postgres. An organization can have several.
type DriftKind string

// The kinds. The first four are of keys: clerk.DifferenceKind's.
const (
	DriftChanged       = DriftKind(clerk.Changed)
	DriftMissingKey    = DriftKind(clerk.MissingKey)
	DriftWrongType     = DriftKind(clerk.WrongType)
	DriftUnexpectedKey = DriftKind(clerk.UnexpectedKey) // such as claims of one that was unlinked

	DriftMissing DriftKind = "missing_organization" // linked to one that Clerk does not have
	DriftUnknown DriftKind = "unknown_organization" // at Clerk, and never linked to one of ours
)

// DriftKinds returns all there are.
func DriftKinds() []DriftKind {
	return []DriftKind{DriftChanged, DriftMissingKey, DriftWrongType, DriftUnexpectedKey, DriftMissing, DriftUnknown}
}

// DriftReport is what a check found. Its JSON is what is kept and what `app drift --json` prints.
type DriftReport struct {
	StartedAt  time.Time `json:"started_at"` // by the database's clock
	FinishedAt time.Time `json:"finished_at"`
	KnownOnly  bool      `json:"known_only"` // it did not look for organizations that are unknown to us

	Listed    int `json:"listed"`     // organizations at Clerk
	Compared  int `json:"compared"`   // those in step, and those that drifted but are not unknown to us
	InStep    int `json:"in_step"`    // of these
	Pending   int `json:"pending"`    // not comparable: on their way, in doubt, parked
	ListCalls int `json:"list_calls"` // made, failed ones included

	// Kinds has for each kind how many organizations have it, and Drifted how many have any.
	Kinds     map[DriftKind]int `json:"kinds"`
	Drifted   int               `json:"drifted"`
	Contested int               `json:"contested"`
	Repaired  int               `json:"repaired"`

	// Drifts has what Drifted counts; in a report that was kept, at most the first thousand: contested ones, then others of
	// ours, then what is unknown to us.
	Drifts []Drift `json:"drifts"`
}

// Drift is one organization that differs.
type Drift struct {
	ClerkOrgID     string      `json:"clerk_org_id"`
	OrganizationID string      `json:"id"` // ours; "": none is linked
	Kinds          []DriftKind `json:"kinds"`
	// Differences are of its keys; none, if one of the two does not have the organization at all.
	Differences []clerk.Difference `json:"differences"`
	// Contested: it was pushed over so often of late that to go on would be a fight with another writer of its keys.
	Contested bool `json:"contested"`
	// Repaired: it was handed over, to be read back and pushed again if it is still so.
	Repaired bool `json:"repaired"`

	unmarked   bool // it has no row in the outbox
	superseded bool // it changed before it could be handed over
}

// maxDriftsKept bounds a report that is kept.
const maxDriftsKept = 1000

func newDriftReport(knownOnly bool) *DriftReport {
	report := &DriftReport{KnownOnly: knownOnly, Kinds: map[DriftKind]int{}, Drifts: []Drift{}}
	for _, kind := range DriftKinds() {
		report.Kinds[kind] = 0
	}
	return report
}

// add notes an organization whose keys differ.
func (r *DriftReport) add(drift Drift) {
	for _, difference := range drift.Differences {
		if kind := DriftKind(difference.Kind); !slices.Contains(drift.Kinds, kind) {
			drift.Kinds = append(drift.Kinds, kind)
		}
	}
	if drift.Differences == nil {
		drift.Differences = []clerk.Difference{}
	}
	r.Drifts = append(r.Drifts, drift)
}

// count sorts and counts what was found.
func (r *DriftReport) count() {
	slices.SortFunc(r.Drifts, func(a, b Drift) int {
		return cmp.Or(cmp.Compare(a.rank(), b.rank()), cmp.Compare(a.ClerkOrgID, b.ClerkOrgID))
	})
	r.Drifted, r.Compared = len(r.Drifts), r.InStep
	for _, drift := range r.Drifts {
		for _, kind := range drift.Kinds {
			r.Kinds[kind]++
		}
		if !drift.is(DriftUnknown) {
			r.Compared++
		}
		if drift.Contested {
			r.Contested++
		}
		if drift.Repaired {
			r.Repaired++
		}
	}
}

func (d Drift) is(kind DriftKind) bool { return slices.Contains(d.Kinds, kind) }

// rank orders by how much it concerns people.
func (d Drift) rank() int {
	switch {
	case d.Contested:
		return 0
	case d.is(DriftMissing):
		return 2
	case d.is(DriftUnknown):
		return 3
	default:
		return 1
	}
}

// kept is the report as far as it is kept.
func (r DriftReport) kept() DriftReport {
	r.Drifts = r.Drifts[:min(len(r.Drifts), maxDriftsKept)]
	return r
}
