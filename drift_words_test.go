package claimsync_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/claimsync/claimsync"
)

func TestDriftInWords(t *testing.T) {
	t.Parallel()
	type kinds = map[claimsync.DriftKind]int
	tests := map[string]struct {
		report claimsync.DriftReport
		want   []string
	}{
		"none": {
			claimsync.DriftReport{Listed: 12, Compared: 10, InStep: 10, Pending: 2},
			[]string{"Of 12 organizations at Clerk, 10 of ours were compared: 10 in step, no drift. 2 could not be compared: they are on " +
				"their way, in doubt or parked."},
		},
		"one that could be repaired": {
			claimsync.DriftReport{
				Listed: 1, Compared: 1, Drifted: 1, Kinds: kinds{claimsync.DriftWrongType: 1, claimsync.DriftUnexpectedKey: 1},
			},
			[]string{
				"Of 1 organizations at Clerk, 1 of ours were compared: 0 in step, 1 drifted (1 with values of a wrong type, 1 with keys " +
					"that should be gone).",
				"To have it pushed again: app drift --repair",
			},
		},
		"all there is": {
			claimsync.DriftReport{
				Listed: 20, Compared: 18, InStep: 7, Drifted: 13, Repaired: 5, Contested: 2, Pending: 0,
				Kinds: kinds{claimsync.DriftChanged: 8, claimsync.DriftMissingKey: 1, claimsync.DriftMissing: 1, claimsync.DriftUnknown: 2},
			},
			[]string{
				"Of 20 organizations at Clerk, 18 of ours were compared: 7 in step, 13 drifted (8 changed at Clerk, 1 with missing keys, " +
					"1 missing at Clerk, 2 unknown to us).",
				"5 were handed over: some app serve reads each back, and pushes it again if it is still so.",
				"To have 3 of them pushed again: app drift --repair",
				"2 are contested: somebody else writes the same keys at Clerk, so that claimsync had to push over them several times " +
					"within a day. Until a day has passed that is not done again; changes are pushed as ever. Find out who writes them: app why ID",
				"One is linked to an organization that Clerk does not have. If it was deleted there, unlink ours: " +
					`PATCH /v1/organizations/ID {"clerk_org_id":null}`,
				`2 at Clerk are linked to none of ours. If they should be, link them: PATCH /v1/organizations/ID {"clerk_org_id":"org_…"}; ` +
					"if not: app drift --known-only",
			},
		},
	}
	for name, test := range tests {
		if diff := cmp.Diff(test.want, test.report.InWords()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestLastDriftCheckInWords(t *testing.T) {
	t.Parallel()
	last := claimsync.LastDriftCheck{
		Report: &claimsync.DriftReport{
			FinishedAt: noon.Add(-3 * time.Hour), Drifted: 3, Repaired: 2, Contested: 1,
			Kinds: map[claimsync.DriftKind]int{claimsync.DriftChanged: 3},
		},
		Failure: new("clerk: outage: status 503"), FailedAt: before(time.Minute),
	}
	want := []string{
		"Clerk was last compared with Postgres at 2026-07-01 09:00:00 UTC (3 h ago): 3 drifted (3 changed at Clerk), 2 handed over to be " +
			"pushed again, 1 contested. To look again: app drift",
		"The drift check of 2026-07-01 11:59:00 UTC (60 s ago) failed: clerk: outage: status 503",
	}
	if diff := cmp.Diff(here(want), last.InWords(noon)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if said := (claimsync.LastDriftCheck{}).InWords(noon); len(said) > 0 {
		t.Errorf("of nothing: %q", said)
	}
}
