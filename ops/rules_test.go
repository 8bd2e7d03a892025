package ops_test

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// rule is an alert of alerts.yaml, with its texts by key. It is read by its indentation, and not as YAML: promtool sees
// to that.
type rule struct {
	alert string
	texts map[string]string
}

const (
	indentOfRule  = 6  // - alert:
	indentOfField = 8  // expr:, for:, labels:, annotations:
	indentOfEntry = 10 // of labels and annotations
)

func readRules(t *testing.T) (rules []rule) {
	t.Helper()
	text, err := os.ReadFile("alerts.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var field, entry string
	for line := range strings.Lines(string(text)) {
		trimmed := strings.TrimSpace(line)
		if trimmed == "" || strings.HasPrefix(trimmed, "#") {
			continue
		}
		key, value, _ := strings.Cut(trimmed, ": ")
		key = strings.TrimSuffix(key, ":")
		switch indent := strings.Index(line, trimmed); {
		case indent == indentOfRule:
			rules = append(rules, rule{alert: value, texts: map[string]string{}})
		case indent == indentOfField:
			field, entry = key, key
			rules[len(rules)-1].add(entry, value)
		case indent == indentOfEntry && field != "expr":
			entry = key
			rules[len(rules)-1].add(entry, value)
		case indent > indentOfField:
			rules[len(rules)-1].add(entry, trimmed)
		}
	}
	return rules
}

// add appends a line to a text, but for the marks of a block.
func (r *rule) add(key, line string) {
	if line != "|" && line != ">-" {
		r.texts[key] = strings.TrimSpace(r.texts[key] + " " + line)
	}
}

// Whoever is woken reads what is wrong, what it means, and what to run.
func TestRulesAreComplete(t *testing.T) {
	t.Parallel()
	rules := readRules(t)
	if len(rules) < 20 {
		t.Fatalf("%d rules were read: %v", len(rules), rules)
	}
	seen := map[string]bool{}
	for _, rule := range rules {
		if !strings.HasPrefix(rule.alert, "Claimsync") || seen[rule.alert] {
			t.Errorf("%q is no name of its own", rule.alert)
		}
		seen[rule.alert] = true
		if !slices.Contains([]string{"critical", "warning", "info"}, rule.texts["severity"]) {
			t.Errorf("%s has the severity %q", rule.alert, rule.texts["severity"])
		}
		for _, key := range []string{"expr", "summary", "description", "runbook"} {
			if len(rule.texts[key]) < 12 {
				t.Errorf("%s has the %s %q", rule.alert, key, rule.texts[key])
			}
		}
	}
}
