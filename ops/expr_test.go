package ops_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// names is what an expression refers to. Whether it is one is up to promtool.
type names struct {
	metrics []string
	// matchers are those of selectors: the metric's, the label's, the operator, and the value.
	matchers [][4]string
	// grouping are the labels of by, on and the like.
	grouping []string
}

// token is a name, a string, a number, what is in square brackets, or a single character.
var token = regexp.MustCompile(`[a-zA-Z_:$][\w:]*|"(?:[^"\\]|\\.)*"|\[[^\]]*\]|\d[\w.]*|[=!]~|!=|\S`)

var groupers = []string{"by", "without", "on", "ignoring", "group_left", "group_right"}

var keywords = []string{"and", "or", "unless", "offset", "bool", "Inf", "NaN"}

// namesIn reads an expression of Prometheus' query language, as far as the names in it go.
func namesIn(expr string) (n names) {
	tokens := token.FindAllString(expr, -1)
	at := func(i int) string {
		if i < len(tokens) {
			return tokens[i]
		}
		return ""
	}
	for i := 0; i < len(tokens); i++ {
		switch word := tokens[i]; {
		case !isWord(word), slices.Contains(keywords, word):
		case slices.Contains(groupers, word):
			if at(i+1) != "(" { // group_left alone
				continue
			}
			for i += 2; at(i) != ")" && at(i) != ""; i++ {
				if isWord(at(i)) {
					n.grouping = append(n.grouping, at(i))
				}
			}
		case at(i+1) == "(", at(i+1) == "by", at(i+1) == "without": // a function or an aggregation
		default:
			n.metrics = append(n.metrics, word)
			if at(i+1) != "{" {
				continue
			}
			for i += 2; at(i) != "}" && at(i) != ""; i++ {
				if isWord(at(i)) {
					n.matchers = append(n.matchers, [4]string{word, at(i), at(i + 1), strings.Trim(at(i+2), `"`)})
				}
			}
		}
	}
	return n
}

func isWord(token string) bool { return regexp.MustCompile(`^[a-zA-Z_:][\w:]*$`).MatchString(token) }

// Prometheus' own: of each target, and what it says itself.
var targetLabels = []string{"job", "instance"}

// problems are the names in an expression that nothing exports.
func (all exported) problems(expr string) (problems []string) {
	n := namesIn(expr)
	if len(n.metrics) == 0 {
		return []string{"no metric in " + expr}
	}
	for _, metric := range n.metrics {
		if all[metric] == nil {
			problems = append(problems, "there is no metric "+metric)
		}
	}
	for _, m := range n.matchers {
		if problem := all.matcherProblem(m[0], m[1], m[2], m[3]); problem != "" {
			problems = append(problems, problem)
		}
	}
	for _, label := range n.grouping {
		has := func(metric string) bool { return all[metric][label] != nil }
		if !slices.Contains(targetLabels, label) && !slices.ContainsFunc(n.metrics, has) {
			problems = append(problems, "none of the metrics has the label "+label)
		}
	}
	return problems
}

// matcherProblem also looks for the value: an alert that waits for one which is never there is silent for good.
func (all exported) matcherProblem(metric, label, operator, value string) string {
	if slices.Contains(targetLabels, label) || all[metric] == nil {
		return ""
	}
	values := all[metric][label]
	if values == nil {
		return fmt.Sprintf("%s has no label %s", metric, label)
	}
	alternatives := []string{value}
	if strings.HasSuffix(operator, "~") {
		alternatives = strings.Split(value, "|")
	}
	for _, alternative := range alternatives {
		anchored := regexp.MustCompile("^(?:" + alternative + ")$")
		if !slices.ContainsFunc(values, anchored.MatchString) {
			return fmt.Sprintf("%s has no %s=%q, but %q", metric, label, alternative, values)
		}
	}
	return ""
}

func TestNamesIn(t *testing.T) {
	t.Parallel()
	got := namesIn(`sum by (job, le) (rate(a_bucket{job=~"$job",code!="200"}[$__rate_interval])) > on (x) group_left (y) b
		unless absent(c offset 5m) or histogram_quantile(0.99, d{}) * 2e3 and max(e) by (z) > bool 1h`)
	want := names{
		metrics:  []string{"a_bucket", "b", "c", "d", "e"},
		matchers: [][4]string{{"a_bucket", "job", "=~", "$job"}, {"a_bucket", "code", "!=", "200"}},
		grouping: []string{"job", "le", "x", "y", "z"},
	}
	if d := cmp.Diff(want, got, cmp.AllowUnexported(names{})); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestProblems(t *testing.T) {
	t.Parallel()
	all := exported{"m_total": {"code": {"200", "429"}}, "up_bucket": {"le": {"1"}}}
	for expr, want := range map[string]string{
		`sum by (job, code) (rate(m_total{code=~"429|2.."}[5m]))`: "",
		`sum by (le) (up_bucket)`:                                 "",
		`rate(m_totals[5m])`:                                      "there is no metric m_totals",
		`m_total{kode="429"}`:                                     "m_total has no label kode",
		`m_total{code="430"}`:                                     `m_total has no code="430"`,
		`m_total{code!="430"}`:                                    `m_total has no code="430"`,
		`m_total{code=~"429|430"}`:                                `m_total has no code="430"`,
		`sum by (kode) (m_total)`:                                 "none of the metrics has the label kode",
		`1 + 1`:                                                   "no metric in 1 + 1",
	} {
		if got := strings.Join(all.problems(expr), "; "); want == "" && got != "" || !strings.HasPrefix(got, want) {
			t.Errorf("%s: %q, want %q", expr, got, want)
		}
	}
}
