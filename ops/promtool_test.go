package ops_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// needPromtool returns where Prometheus' own tool is. Without it the test is left out, unless CLAIMSYNC_PROMTOOL is
// "required", as in CI.
func needPromtool(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("promtool")
	if err != nil {
		if os.Getenv("CLAIMSYNC_PROMTOOL") == "required" {
			t.Fatalf("%v: it comes with Prometheus", err)
		}
		t.Skip("no promtool, which comes with Prometheus (Debian: apt-get install prometheus): not tried")
	}
	return path
}

func promtool(t *testing.T, stdin string, args ...string) (output string, err error) {
	t.Helper()
	command := exec.CommandContext(t.Context(), needPromtool(t), args...)
	command.Stdin = strings.NewReader(stdin)
	combined, err := command.CombinedOutput()
	return string(combined), err
}

// history is what was scraped: first for calm minutes, then for others.
type history struct {
	before, after scrape
	// step is how many minutes lie between two scrapes; 0: one. Up to five, longer than that no value holds.
	step int
	// growing are the series that grow by so much with each scrape in the second part.
	growing scrape
}

// calm is how many minutes of a history are before: a multiple of any step.
const calm = 60

// input is the history in promtool's notation, as two processes would have said it that share a database.
func (h history) input(minutes int) (series []map[string]string) {
	calm, scrapes := calm/h.step, minutes/h.step
	add := func(name, values string) {
		name, labels, _ := strings.Cut(strings.TrimSuffix(name, "}"), "{")
		for _, instance := range []string{"a", "b"} {
			full := fmt.Sprintf(`%s{job="claimsync",instance=%q,%s}`, name, instance, labels)
			series = append(series, map[string]string{"series": strings.Replace(full, ",}", "}", 1), "values": values})
		}
	}
	for name, value := range h.before {
		after, there := h.after[name]
		if there {
			add(name, held(value, 0, calm)+" "+held(after, h.growing[name], scrapes))
		} else {
			add(name, fmt.Sprintf("%s stale _x%d", held(value, 0, calm), scrapes-1))
		}
	}
	for name, value := range h.after {
		if _, there := h.before[name]; !there {
			add(name, fmt.Sprintf("_x%d %s", calm, held(value, h.growing[name], scrapes)))
		}
	}
	return series
}

// held is a value for so many scrapes.
func held(value, growth float64, scrapes int) string {
	number := func(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }
	return fmt.Sprintf("%s+%sx%d", number(value), number(growth), scrapes-1)
}

// firing says that some minutes after the change these alerts fire, and no others; "X each": once for each process.
type firing struct {
	minute int
	alerts []string
}

// check has promtool play the history, and compare which alerts fire.
func (h history) check(t *testing.T, rules []rule, expected ...firing) {
	t.Helper()
	h.step = max(h.step, 1)
	severities, asked := map[string]string{}, map[string]bool{}
	for _, rule := range rules {
		severities[rule.alert] = rule.texts["severity"]
		for _, metric := range namesIn(rule.texts["expr"]).metrics {
			asked[metric] = true
		}
	}
	h.before, h.after = h.before.of(asked), h.after.of(asked)
	var queries []map[string]any
	last := 0
	for _, at := range expected {
		samples := []map[string]any{}
		for _, alert := range at.alerts {
			count := 1 // and not one for each process
			if of, each := strings.CutSuffix(alert, " each"); each {
				alert, count = of, 2
			}
			labels := fmt.Sprintf(`{alertname=%q, severity=%q}`, alert, severities[alert])
			samples = append(samples, map[string]any{"labels": labels, "value": count})
		}
		last = max(last, at.minute)
		queries = append(queries, map[string]any{
			"expr":      `count by (alertname, severity) (ALERTS{alertstate="firing"})`,
			"eval_time": fmt.Sprintf("%dm", calm+at.minute), "exp_samples": samples,
		})
	}
	play(t, h.step, h.input(last+2*h.step), queries)
}

// play runs a test of promtool's.
func play(t *testing.T, step int, series []map[string]string, queries []map[string]any) {
	t.Helper()
	rules, err := filepath.Abs("alerts.yaml")
	if err != nil {
		t.Fatal(err)
	}
	interval := fmt.Sprintf("%dm", step)
	// JSON is YAML.
	file, err := json.Marshal(map[string]any{
		"rule_files": []string{rules}, "evaluation_interval": interval,
		"tests": []map[string]any{{"interval": interval, "input_series": series, "promql_expr_test": queries}},
	})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "test.yaml")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	if output, err := promtool(t, "", "test", "rules", path); err != nil {
		t.Errorf("promtool: %v\n%s", err, output)
	}
}
