package ops_test

import (
	"slices"
	"testing"
)

// exercised is the scrape of a healthy system that has done everything at least once.
func (p *plant) exercised() scrape {
	p.t.Helper()
	p.work()
	p.add("a", "b", "c", "d", "e")
	p.inStep()
	if requested, err := p.sync.RequestDriftCheck(p.t.Context(), false); err != nil || !requested {
		p.t.Fatalf("asking for a drift check: %v, %v", requested, err)
	}
	p.until(`claimsync_drift_checks_total{result="clean"}`, positive)
	p.until(`claimsync_drift_contested_organizations`, func(v float64) bool { return v == 0 })
	p.until(`claimsync_renewal_behind_seconds`, func(v float64) bool { return v == 0 })
	return p.scrape()
}

// Every rule is seen to fire.
func TestEveryRuleFires(t *testing.T) {
	t.Parallel()
	tried := []string{"ClaimsyncOutboxUnreadable", "ClaimsyncGone"}
	note := func(fires []firing) {
		for _, at := range fires {
			tried = append(tried, at.alerts...)
		}
	}
	for _, test := range brokenSystems {
		note(test.fires)
	}
	for _, test := range brokenFigures {
		note(test.fires)
	}
	for _, rule := range readRules(t) {
		if !slices.Contains(tried, rule.alert) && !slices.Contains(tried, rule.alert+" each") {
			t.Errorf("%s fires in no test", rule.alert)
		}
	}
}

// promtool has an opinion of its own.
func TestPromtoolChecks(t *testing.T) {
	t.Parallel()
	if output, err := promtool(t, "", "check", "rules", "alerts.yaml"); err != nil {
		t.Errorf("%v\n%s", err, output)
	}
	p := newPlant(t)
	p.exercised()
	if output, err := promtool(t, exposition(t, p.metrics), "check", "metrics"); err != nil {
		t.Errorf("%v\n%s", err, output)
	}
}
