package claimsync

import (
	"fmt"
	"strings"
	"time"
)

// driftKindWords are what an organization of the kind is, in the order in which it is said.
var driftKindWords = []struct {
	kind  DriftKind
	words string
}{
	{DriftChanged, "changed at Clerk"},
	{DriftMissingKey, "with missing keys"},
	{DriftWrongType, "with values of a wrong type"},
	{DriftUnexpectedKey, "with keys that should be gone"},
	{DriftMissing, "missing at Clerk"},
	{DriftUnknown, "unknown to us"},
}

// InWords says what was found and what a person can do about it, a paragraph each.
func (r *DriftReport) InWords() []string {
	paragraphs := []string{r.foundInWords()}
	say := func(n int, one, many string) {
		switch {
		case n == 1:
			paragraphs = append(paragraphs, one)
		case n > 1:
			paragraphs = append(paragraphs, fmt.Sprintf(many, n))
		}
	}
	say(r.Repaired,
		"One was handed over: some app serve reads it back, and pushes it again if it is still so.",
		"%d were handed over: some app serve reads each back, and pushes it again if it is still so.")
	say(r.repairable(), "To have it pushed again: app drift --repair", "To have %d of them pushed again: app drift --repair")
	say(r.Contested,
		"One is contested: "+contest+" Find out who writes it: app why ID",
		"%d are contested: "+contest+" Find out who writes them: app why ID")
	say(r.Kinds[DriftMissing],
		"One is linked to an organization that Clerk does not have. "+unlink,
		"%d are linked to organizations that Clerk does not have. "+unlink)
	say(r.Kinds[DriftUnknown],
		"One at Clerk is linked to none of ours. "+link, "%d at Clerk are linked to none of ours. "+link)
	return paragraphs
}

// What a person has to settle.
const (
	contest = "somebody else writes the same keys at Clerk, so that claimsync had to push over them several times within a day. " +
		"Until a day has passed that is not done again; changes are pushed as ever."
	unlink = `If it was deleted there, unlink ours: PATCH /v1/organizations/ID {"clerk_org_id":null}`
	link   = `If they should be, link them: PATCH /v1/organizations/ID {"clerk_org_id":"org_…"}; if not: app drift --known-only`
)

func (r *DriftReport) foundInWords() string {
	text := fmt.Sprintf("Of %d organizations at Clerk, %d of ours were compared: %d in step, ", r.Listed, r.Compared, r.InStep)
	if r.Drifted == 0 {
		text += "no drift."
	} else {
		text += fmt.Sprintf("%d drifted (%s).", r.Drifted, r.kindsInWords())
	}
	if r.Pending > 0 {
		text += fmt.Sprintf(" %d could not be compared: they are on their way, in doubt or parked.", r.Pending)
	}
	return text
}

func (r *DriftReport) kindsInWords() string {
	var kinds []string
	for _, of := range driftKindWords {
		if n := r.Kinds[of.kind]; n > 0 {
			kinds = append(kinds, fmt.Sprintf("%d %s", n, of.words))
		}
	}
	return strings.Join(kinds, ", ")
}

// repairable is how many could be handed over, and were not.
func (r *DriftReport) repairable() int {
	return r.Drifted - r.Repaired - r.Contested - r.Kinds[DriftMissing] - r.Kinds[DriftUnknown]
}

// InWords says it for those who look at everything, a paragraph each.
func (l LastDriftCheck) InWords(now time.Time) (paragraphs []string) {
	if r := l.Report; r != nil {
		text := fmt.Sprintf("Clerk was last compared with Postgres at %s: ", moment(now, r.FinishedAt))
		if r.Drifted == 0 {
			text += "no drift."
		} else {
			text += fmt.Sprintf("%d drifted (%s), %d handed over to be pushed again, %d contested. To look again: app drift",
				r.Drifted, r.kindsInWords(), r.Repaired, r.Contested)
		}
		paragraphs = append(paragraphs, text)
	}
	if l.Failure != nil {
		paragraphs = append(paragraphs, fmt.Sprintf("The drift check of %s failed: %s", moment(now, *l.FailedAt), *l.Failure))
	}
	return paragraphs
}
