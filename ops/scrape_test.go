package ops_test

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/claimsync/claimsync/metrics"
)

// scrape is what Prometheus reads: values by series, as name{label="value",…}.
type scrape map[string]float64

func scrapeOf(t *testing.T, m *metrics.Metrics) scrape {
	t.Helper()
	read := scrape{}
	for line := range strings.Lines(exposition(t, m)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		series, text, _ := strings.Cut(strings.TrimSpace(line[strings.LastIndex(line, "}")+1:]), " ")
		if end := strings.LastIndex(line, "}"); end >= 0 {
			series, text = line[:end+1], strings.TrimSpace(line[end+1:])
		}
		value, err := strconv.ParseFloat(text, 64)
		if err != nil {
			t.Fatalf("%v in %q", err, line)
		}
		read[series] = value
	}
	return read
}

// exposition is the same as text.
func exposition(t *testing.T, m *metrics.Metrics) string {
	t.Helper()
	recorder := httptest.NewRecorder()
	m.Handler().ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if recorder.Code != http.StatusOK {
		t.Fatalf("scrape: %d %s", recorder.Code, recorder.Body)
	}
	return recorder.Body.String()
}

// with is the scrape with other values.
func (s scrape) with(edits scrape) scrape {
	edited := maps.Clone(s)
	maps.Copy(edited, edits)
	return edited
}

// of leaves out all other metrics.
func (s scrape) of(metrics map[string]bool) scrape {
	some := maps.Clone(s)
	maps.DeleteFunc(some, func(series string, _ float64) bool {
		name, _, _ := strings.Cut(series, "{")
		return !metrics[name]
	})
	return some
}

// exported is what there is: for each metric the values of each label.
type exported map[string]map[string][]string

func (s scrape) exported() exported {
	all := exported{}
	for series := range s {
		name, labels, _ := strings.Cut(strings.TrimSuffix(series, "}"), "{")
		if all[name] == nil {
			all[name] = map[string][]string{}
		}
		for labels != "" {
			label, rest, _ := strings.Cut(labels, `="`)
			value, rest, _ := strings.Cut(rest, `"`) // no value has quotes
			labels = strings.TrimPrefix(rest, ",")
			if !slices.Contains(all[name][label], value) {
				all[name][label] = append(all[name][label], value)
			}
		}
	}
	return all
}
