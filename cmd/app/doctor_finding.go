package main

import (
	"fmt"
	"io"
	"strings"
)

// verdict is what became of a step.
type verdict string

const (
	passed  verdict = "ok"
	warned  verdict = "warning"
	failed  verdict = "failed"
	skipped verdict = "skipped" // it could not be taken, or there is nothing to check
)

var marks = map[verdict]string{passed: "✓", warned: "!", failed: "✗", skipped: "–"}

// finding is what a step has found.
type finding struct {
	Step    string  `json:"step"`
	Verdict verdict `json:"verdict"`
	Found   string  `json:"found"`
	Remedy  string  `json:"remedy,omitempty"` // what helps, unless it passed or was skipped
}

func ok(format string, args ...any) finding {
	return finding{Verdict: passed, Found: fmt.Sprintf(format, args...)}
}

func skip(format string, args ...any) finding {
	return finding{Verdict: skipped, Found: fmt.Sprintf(format, args...)}
}

func warn(found, remedy string) finding {
	return finding{Verdict: warned, Found: found, Remedy: remedy}
}

func fail(found, remedy string) finding {
	return finding{Verdict: failed, Found: found, Remedy: remedy}
}

// The columns of what is printed.
const (
	findingIndent = 19
	findingFormat = "%s %-16s %s\n" // as wide as the indent
)

// print prints a line, more if it is long, and the remedy below it.
func (f finding) print(w io.Writer) error {
	said := indented(f.Found)
	if f.Remedy != "" {
		said += "\n" + strings.Repeat(" ", findingIndent) + indented("→ "+f.Remedy)
	}
	_, err := fmt.Fprintf(w, findingFormat, marks[f.Verdict], f.Step, said)
	return err
}

// indented wraps text that begins in the last column.
func indented(text string) string {
	return strings.ReplaceAll(wrappedAt(text, textWidth-findingIndent), "\n", "\n"+strings.Repeat(" ", findingIndent))
}
