package ops_test

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// dashboard is what the tests look at of Grafana's format.
type dashboard struct {
	SchemaVersion int     `json:"schemaVersion"`
	Panels        []panel `json:"panels"`
	Templating    struct {
		List []struct {
			Name       string `json:"name"`
			Definition string `json:"definition"`
		} `json:"list"`
	} `json:"templating"`
}

type panel struct {
	ID          int    `json:"id"`
	Type        string `json:"type"`
	Title       string `json:"title"`
	Description string `json:"description"`
	GridPos     struct{ X, Y, W, H int }
	FieldConfig struct {
		Defaults struct {
			Unit string `json:"unit"`
		} `json:"defaults"`
	} `json:"fieldConfig"`
	Targets []struct {
		Expr         string `json:"expr"`
		LegendFormat string `json:"legendFormat"`
	} `json:"targets"`
}

func readDashboard(t *testing.T) (d dashboard, text string) {
	t.Helper()
	file, err := os.ReadFile("dashboard.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(file, &d); err != nil {
		t.Fatal(err)
	}
	return d, string(file)
}

// Grafana shows what it is given: overlapping panels, no unit, an empty legend.
func TestDashboardIsWellFormed(t *testing.T) {
	t.Parallel()
	d, text := readDashboard(t)
	if d.SchemaVersion < 36 || len(d.Panels) < 30 {
		t.Errorf("schema version %d, %d panels", d.SchemaVersion, len(d.Panels))
	}
	taken := map[[2]int]string{}
	ids := map[int]bool{}
	for _, p := range d.Panels {
		if ids[p.ID] {
			t.Errorf("%s: the id %d is another's", p.Title, p.ID)
		}
		ids[p.ID] = true
		if p.GridPos.X+p.GridPos.W > 24 || p.GridPos.W < 1 || p.GridPos.H < 1 {
			t.Errorf("%s lies at %+v", p.Title, p.GridPos)
		}
		for x := range p.GridPos.W {
			for y := range p.GridPos.H {
				at := [2]int{p.GridPos.X + x, p.GridPos.Y + y}
				if taken[at] != "" {
					t.Fatalf("%s lies on %s", p.Title, taken[at])
				}
				taken[at] = p.Title
			}
		}
		if p.Type != "row" && (p.Description == "" || p.FieldConfig.Defaults.Unit == "" || len(p.Targets) == 0) {
			t.Errorf("%s has no description, unit or query", p.Title)
		}
	}
	// Another's Grafana knows no uid of ours.
	for _, uid := range regexp.MustCompile(`"uid": "([^"]*)"`).FindAllStringSubmatch(text, -1) {
		if !slices.Contains([]string{"${datasource}", "-- Grafana --", "claimsync"}, uid[1]) {
			t.Errorf("a data source of its own: %q", uid[1])
		}
	}
}

// queries are all that the dashboard asks of Prometheus, with what each is shown as.
func (d dashboard) queries() (queries [][2]string) {
	for _, p := range d.Panels {
		for _, target := range p.Targets {
			queries = append(queries, [2]string{target.Expr, target.LegendFormat})
		}
	}
	values := regexp.MustCompile(`^label_values\((.*), (job|instance)\)$`)
	for _, variable := range d.Templating.List {
		if variable.Definition != "" {
			queries = append(queries, [2]string{values.FindStringSubmatch(variable.Definition)[1], ""})
		}
	}
	return queries
}

func (d dashboard) variables() (names []string) {
	for _, variable := range d.Templating.List {
		names = append(names, "$"+variable.Name)
	}
	return append(names, "$__rate_interval")
}

var (
	variable    = regexp.MustCompile(`\$\w+`)
	legendLabel = regexp.MustCompile(`\{\{(\w+)\}\}`)
)

// legendProblem is a label that a query's result does not have.
func legendProblem(expr, legend string) string {
	n := namesIn(expr)
	for _, label := range legendLabel.FindAllStringSubmatch(legend, -1) {
		aggregated := strings.Contains(expr, " by (")
		if aggregated && !slices.Contains(n.grouping, label[1]) || !aggregated && !slices.Contains(targetLabels, label[1]) {
			return expr + " has no label " + label[1] + " for its legend"
		}
	}
	return ""
}
