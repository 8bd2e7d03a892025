package ops_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Alerts and dashboard name nothing that is not exported by a system which has done everything once, and what is
// exported is shown.
func TestNames(t *testing.T) {
	t.Parallel()
	all := newPlant(t).exercised().exported()
	asked := map[string]bool{}
	ask := func(where, expr string) {
		for _, problem := range all.problems(expr) {
			t.Errorf("%s: %s", where, problem)
		}
		for _, metric := range namesIn(expr).metrics {
			asked[family(metric)] = true
		}
	}
	for _, rule := range readRules(t) {
		ask(rule.alert, rule.texts["expr"])
	}
	d, _ := readDashboard(t)
	for _, query := range d.queries() {
		ask("dashboard", query[0])
		if problem := legendProblem(query[0], query[1]); problem != "" {
			t.Error(problem)
		}
		for _, name := range variable.FindAllString(query[0], -1) {
			if !slices.Contains(d.variables(), name) {
				t.Errorf("%s: the dashboard has no variable %s", query[0], name)
			}
		}
	}
	for metric := range all {
		if strings.HasPrefix(metric, "claimsync_") && !asked[family(metric)] {
			t.Errorf("%s is neither on the dashboard nor in an alert", metric)
		}
	}
}

// family is the name of a metric without what a histogram appends.
func family(metric string) string {
	for _, suffix := range []string{"_bucket", "_sum", "_count"} {
		if name, found := strings.CutSuffix(metric, suffix); found {
			return name
		}
	}
	return metric
}

// What people read names nothing else either.
func TestNamesInTexts(t *testing.T) {
	t.Parallel()
	all := newPlant(t).exercised().exported()
	for _, file := range []string{"alerts.yaml", "README.md", "../metrics/doc.go", "../docs/decisions.md"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range regexp.MustCompile(`claimsync_[a-z_]+[a-z]`).FindAllString(string(text), -1) {
			if all[name] == nil {
				t.Errorf("%s names %s, which is not exported", file, name)
			}
		}
	}
}
