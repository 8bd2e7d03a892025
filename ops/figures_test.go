package ops_test

import "testing"

// brokenFigures are those of a healthy system with some changed: for what takes days to break, or would need others to
// help.
var brokenFigures = map[string]struct {
	edits   scrape
	growing scrape
	step    int
	fires   []firing
}{
	"a minute is no reason": {edits: scrape{of("outbox_oldest_dirty_age_seconds", ""): 60}, fires: []firing{{90, nil}}},
	"old": {
		edits: scrape{of("outbox_oldest_dirty_age_seconds", ""): 901},
		fires: []firing{
			{0, nil}, {1, []string{"ClaimsyncOldestDirtyAgeCritical"}},
			{2, []string{"ClaimsyncOldestDirtyAge", "ClaimsyncOldestDirtyAgeCritical"}},
		},
	},
	"parked and left": {
		edits: scrape{of("outbox_parked_rows", ""): 2},
		step:  5,
		fires: []firing{{24*60 - 5, nil}, {24 * 60, []string{"ClaimsyncParked"}}},
	},
	"discarded": {
		edits: scrape{of("river_jobs", `state="discarded",`): 1},
		fires: []firing{{-1, nil}, {0, []string{"ClaimsyncJobsDiscarded"}}, {61, nil}},
	},
	"rate limited": {
		growing: scrape{`claimsync_clerk_requests_total{code="429",operation="push"}`: 1},
		fires:   []firing{{19, nil}, {25, []string{"ClaimsyncRateLimited"}}},
	},
	"hardly ever rate limited": {
		growing: scrape{`claimsync_clerk_requests_total{code="429",operation="push"}`: .3},
		fires:   []firing{{90, nil}},
	},
	"half of the budget": {edits: scrape{of("budget_share_ratio", ""): .5}, fires: []firing{{90, nil}}},
	"little of the budget": {
		edits: scrape{of("budget_share_ratio", ""): .49},
		fires: []firing{{14, nil}, {15, []string{"ClaimsyncBudgetLow"}}},
	},
	"late": {
		edits: scrape{`claimsync_due_overdue_seconds`: 61},
		fires: []firing{{1, nil}, {2, []string{"ClaimsyncDueLate"}}},
	},
	"not calculable": {
		edits: scrape{`claimsync_due_recalculations_failed_total`: 1},
		fires: []firing{{-1, nil}, {0, []string{"ClaimsyncRecalculationsFail"}}, {16, nil}},
	},
	"triggers switched off": {
		edits: scrape{`claimsync_triggers{state="installed"}`: 33, `claimsync_triggers{state="disabled"}`: 1},
		fires: []firing{{14, nil}, {15, []string{"ClaimsyncTriggersAmiss"}}},
	},
	"all triggers in order": {edits: scrape{`claimsync_triggers{state="installed"}`: 34}, fires: []firing{{90, nil}}},
	"contested": {
		edits: scrape{`claimsync_drift_contested_organizations`: 1},
		fires: []firing{{-1, nil}, {0, []string{"ClaimsyncDriftContested"}}},
	},
	"drift again and again": {
		edits: scrape{
			`claimsync_drift_organizations{kind="changed"}`: 3, `claimsync_drift_organizations{kind="unknown_organization"}`: 9,
		},
		step:  5,
		fires: []firing{{49*60 - 5, nil}, {49 * 60, []string{"ClaimsyncDriftRecurring"}}},
	},
	"not compared": {
		edits: scrape{`claimsync_drift_check_age_seconds`: 2*86400 + 1},
		fires: []firing{{-1, nil}, {0, []string{"ClaimsyncDriftCheckLate"}}},
	},
	"two walks late": {edits: scrape{`claimsync_renewal_behind_seconds`: 6 * 3600}, fires: []firing{{90, nil}}},
	"more than two walks late": {
		edits: scrape{`claimsync_renewal_behind_seconds`: 6*3600 + 1},
		fires: []firing{{14, nil}, {15, []string{"ClaimsyncRenewalBehind"}}},
	},
	"webhooks fail": {
		growing: scrape{`claimsync_clerk_events_total{outcome="failed",type="organization.created"}`: 1},
		fires:   []firing{{14, nil}, {17, []string{"ClaimsyncWebhooksFail"}}},
	},
	"a webhook in conflict": {
		edits: scrape{`claimsync_clerk_events_total{outcome="conflict",type="organization.created"}`: 1},
		fires: []firing{{-1, nil}, {0, []string{"ClaimsyncWebhookConflict"}}, {61, nil}},
	},
	"a webhook contested": {
		edits: scrape{`claimsync_clerk_events_total{outcome="contested",type="organization.updated"}`: 1},
		fires: []firing{{-1, nil}, {0, []string{"ClaimsyncWebhookConflict"}}},
	},
	"no connection to be had": {
		growing: scrape{`claimsync_pool_acquire_wait_seconds_total`: 120},
		fires:   []firing{{9, nil}, {15, []string{"ClaimsyncPoolExhausted each"}}},
	},
	"nobody delivers": {
		edits: scrape{`claimsync_processes{state="alive"}`: 0, `claimsync_processes{state="silent"}`: 1},
		fires: []firing{{0, nil}, {1, []string{"ClaimsyncNobodyDelivers"}}},
	},
	"two have died": {edits: scrape{`claimsync_processes{state="silent"}`: 2}, fires: []firing{{0, nil}, {60, nil}}},
	"three have died": {
		edits: scrape{`claimsync_processes{state="silent"}`: 3},
		fires: []firing{{-1, nil}, {0, []string{"ClaimsyncProcessesDie"}}, {31, nil}},
	},
}

func TestAlertsOfBrokenFigures(t *testing.T) {
	t.Parallel()
	needPromtool(t)
	p, rules := newPlant(t), readRules(t)
	healthy := p.exercised()
	for name, test := range brokenFigures {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, edits := range []scrape{test.edits, test.growing} {
				for series := range edits {
					if _, there := healthy[series]; !there {
						t.Fatalf("%s is not exported", series)
					}
				}
			}
			h := history{before: healthy, after: healthy.with(test.edits), growing: test.growing, step: test.step}
			h.check(t, rules, test.fires...)
		})
	}
	t.Run("gone", func(t *testing.T) {
		t.Parallel()
		h := history{before: healthy, after: scrape{}}
		h.check(t, rules, firing{4, nil}, firing{5, []string{"ClaimsyncGone"}})
	})
}
