package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// report is what a command found out.
type report struct {
	Machine machine
	Rounds  int
	Quick   bool
	Rows    []row
}

// row is one line of the table.
type row struct {
	scenario string
	bound
}

// held tells whether every promise was kept.
func (r report) held() bool {
	return !slices.ContainsFunc(r.Rows, func(row row) bool { return !row.ok() })
}

var columns = []string{"scenario", "what", "seen", "bound", "ok"}

func (r row) cells() []string {
	verdict := ""
	if r.promise != none {
		verdict = map[bool]string{true: "ok", false: "BROKEN"}[r.ok()]
	}
	return []string{r.scenario, r.what, r.seenText(), r.limitText(), verdict}
}

// caption says what the figures are of.
func (r report) caption() string {
	text := "On " + r.Machine.String()
	if r.Rounds > 1 {
		text += fmt.Sprintf("; the worst of %d rounds", r.Rounds)
	}
	if r.Quick {
		text += "; the quick versions, which are too short for figures"
	}
	return text + "."
}

func (r report) printText(w io.Writer) error {
	lines := [][]string{columns}
	for i, row := range r.Rows {
		cells := row.cells()
		if i > 0 && r.Rows[i-1].scenario == row.scenario {
			cells[0] = ""
		}
		lines = append(lines, cells)
	}
	widths := widthsOf(lines)
	var text strings.Builder
	for _, cells := range lines {
		var line strings.Builder
		for i, cell := range cells {
			fmt.Fprintf(&line, "%-*s  ", widths[i], cell)
		}
		text.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	_, err := fmt.Fprintf(w, "%s\n%s\n", text.String(), r.caption())
	return err
}

// widthsOf are the columns' widths. What stands last in its line may be longer.
func widthsOf(lines [][]string) []int {
	widths := make([]int, len(columns))
	for _, cells := range lines {
		for i, cell := range cells {
			if i+1 < len(cells) && cells[i+1] != "" || i == 0 {
				widths[i] = max(widths[i], utf8.RuneCountInString(cell))
			}
		}
	}
	return widths
}

func (r report) printMarkdown(w io.Writer) error {
	var text strings.Builder
	line := func(cells []string) { fmt.Fprintf(&text, "| %s |\n", strings.Join(cells, " | ")) }
	line(columns)
	line(slices.Repeat([]string{"---"}, len(columns)))
	for _, row := range r.Rows {
		cells := row.cells()
		for i, cell := range cells {
			cells[i] = strings.ReplaceAll(cell, "|", `\|`)
		}
		line(cells)
	}
	_, err := fmt.Fprintf(w, "%s\n%s\n", text.String(), r.caption())
	return err
}

func (r report) printJSON(w io.Writer) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(struct {
		Machine machine `json:"machine"`
		Rounds  int     `json:"rounds"`
		Quick   bool    `json:"quick"`
		OK      bool    `json:"ok"`
		Bounds  []row   `json:"bounds"`
	}{r.Machine, r.Rounds, r.Quick, r.held(), r.Rows})
}

// MarshalJSON writes a figure as a number. Seen is its text where it is none; yes/no is 1 or 0.
func (r row) MarshalJSON() ([]byte, error) {
	object := struct {
		Scenario string   `json:"scenario"`
		What     string   `json:"what"`
		Seen     any      `json:"seen"`
		Least    *float64 `json:"least,omitempty"` // of all rounds; seen is the most
		Beyond   bool     `json:"beyond,omitempty"`
		Unit     unit     `json:"unit,omitempty"`
		Promise  promise  `json:"promise,omitempty"`
		Bound    *float64 `json:"bound,omitempty"`
		OK       *bool    `json:"ok,omitempty"`
	}{Scenario: r.scenario, What: r.what, Seen: r.seen, Least: r.least, Beyond: r.beyond, Unit: r.unit, Promise: r.promise}
	if r.text != "" {
		object.Seen = r.text
	}
	if r.promise != none {
		object.Bound, object.OK = &r.limit, new(r.ok())
	}
	return json.Marshal(object)
}
