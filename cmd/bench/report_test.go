package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var sampleRows = []row{
	{"hot", upTo(10, "most pushes in any 10 s", 10)},
	{"hot", within(2*time.Second, "the last state, after the last change", lasting(2346*time.Millisecond))},
	{"hot", bound{what: "changes per second", seen: 999.667}},
	{"late", holds("the delivery log shows it", true)},
	{"late", told("… which reads", "ambiguous|applied")},
	{"late", within(30*time.Second, "repaired after", elapsed{Duration: 30 * time.Second, beyond: true})},
	{"budget", bound{what: "used", seen: 97.26, promise: atLeast, limit: 95, unit: percent}},
}

var sampleReport = report{
	Machine: machine{Cores: 2, System: "linux/amd64", Go: "go1.26", PostgreSQL: "15.18"}, Rounds: 3, Rows: sampleRows,
}

func TestReportAsText(t *testing.T) {
	t.Parallel()
	want := `
scenario  what                                   seen    bound          ok
hot       most pushes in any 10 s                10      at most 10     ok
          the last state, after the last change  2.35 s  at most 2 s    BROKEN
          changes per second                     999.67
late      the delivery log shows it              yes     yes            ok
          … which reads                          ambiguous|applied
          repaired after                         > 30 s  at most 30 s   BROKEN
budget    used                                   97.3 %  at least 95 %  ok

On 2 cores, linux/amd64, go1.26, PostgreSQL 15.18; the worst of 3 rounds.
`
	if diff := cmp.Diff(want[1:], printed(t, sampleReport.printText)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestReportAsMarkdown(t *testing.T) {
	t.Parallel()
	want := `| scenario | what | seen | bound | ok |
| --- | --- | --- | --- | --- |
| hot | most pushes in any 10 s | 10 | at most 10 | ok |
| late | … which reads | ambiguous\|applied |  |  |

On 2 cores, linux/amd64, go1.26, PostgreSQL 15.18.
`
	r := report{Machine: sampleReport.Machine, Rounds: 1, Rows: []row{sampleRows[0], sampleRows[4]}}
	if diff := cmp.Diff(want, printed(t, r.printMarkdown)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestReportAsJSON(t *testing.T) {
	t.Parallel()
	var got struct {
		OK     bool
		Bounds []map[string]any
	}
	if err := json.Unmarshal([]byte(printed(t, sampleReport.printJSON)), &got); err != nil {
		t.Fatal(err)
	}
	if got.OK {
		t.Error("all bounds held, with two that did not")
	}
	want := []map[string]any{
		{"scenario": "hot", "what": "most pushes in any 10 s", "seen": 10.0, "promise": "at most", "bound": 10.0, "ok": true},
		{"scenario": "hot", "what": "changes per second", "seen": 999.667},
		{"scenario": "late", "what": "… which reads", "seen": "ambiguous|applied"},
	}
	if diff := cmp.Diff(want, []map[string]any{got.Bounds[0], got.Bounds[2], got.Bounds[4]}); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestFormat(t *testing.T) {
	t.Parallel()
	tests := []struct {
		value float64
		unit  unit
		want  string
	}{
		{0, seconds, "0 ms"}, {0.0104, seconds, "10 ms"}, {0.25, seconds, "250 ms"}, {1, seconds, "1 s"}, {2.346, seconds, "2.35 s"},
		{120, seconds, "120 s"}, {100, percent, "100 %"}, {97.46, percent, "97.5 %"}, {0, count, "0"}, {18300, count, "18300"},
		{0, yesNo, "no"}, {1, yesNo, "yes"},
	}
	for _, test := range tests {
		if got := test.unit.format(test.value); got != test.want {
			t.Errorf("%v in %q is %q, want %q", test.value, test.unit, got, test.want)
		}
	}
}

func TestWorst(t *testing.T) {
	t.Parallel()
	scenarios := []scenario{{name: "a"}, {name: "b"}}
	used := func(percent float64) bound { return bound{what: "used", seen: percent, promise: atLeast, limit: 95} }
	rows := worst(scenarios, []outcome{
		{scenario: "b", err: errBroken},
		{scenario: "b", err: errBroken},
		{scenario: "a", bounds: []bound{upTo(5, "calls", 3), used(99), holds("shown", true), counted("pushes", 20)}},
		{scenario: "a", bounds: []bound{upTo(5, "calls", 7), used(90), holds("shown", false), counted("pushes", 30)}},
		{scenario: "a", bounds: []bound{upTo(5, "calls", 4), used(97), holds("shown", true), counted("pushes", 10)}},
		// The limit differs from round to round, and the broken one is not the one of which most was seen.
		{scenario: "a", bounds: []bound{upTo(14, "meanwhile", 13)}},
		{scenario: "a", bounds: []bound{upTo(11, "meanwhile", 12)}},
		{scenario: "a", bounds: []bound{upTo(16, "meanwhile", 14)}},
	})
	var got []string
	for _, r := range rows {
		got = append(got, strings.Join(r.cells(), " "))
	}
	want := []string{
		"a calls 7 at most 5 BROKEN", "a used 90 at least 95 BROKEN", "a shown no yes BROKEN", "a pushes 10 to 30  ",
		"a meanwhile 12 at most 11 BROKEN",
		"b ran to its end no yes BROKEN",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
