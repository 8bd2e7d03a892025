package main

import (
	"bytes"
	"context"
	"io"
	"strings"
	"testing"
)

func TestUsage(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		args []string
		code int
		says string
	}{
		"nothing":              {nil, exitOK, "clerk"},
		"help names scenarios": {[]string{"clerk", "--help"}, exitOK, "budget-1000"},
		"help of the other":    {[]string{"stale", "--help"}, exitOK, "expiry"},
		"help of the third":    {[]string{"housekeeping", "--help"}, exitOK, "million"},
		"help of the fourth":   {[]string{"scale", "--help"}, exitOK, "size"},
		"scenario of another":  {[]string{"stale", "--only", "hot"}, exitUsage, `"hot"; there are: expiry`},
		"help of the fifth":    {[]string{"speed", "--help"}, exitOK, "transaction"},
		"unknown command":      {[]string{"haste"}, exitUsage, "haste"},
		"unknown scenario":     {[]string{"clerk", "--only", "hot,cold"}, exitUsage, `"cold"`},
		"no rounds":            {[]string{"clerk", "--rounds", "0"}, exitUsage, "--rounds"},
		"two formats":          {[]string{"clerk", "--json", "--markdown"}, exitUsage, "--json"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			if code := run(t.Context(), test.args, &out, &out); code != test.code || !strings.Contains(out.String(), test.says) {
				t.Errorf("exit code %d, want %d; printed, want %q in it:\n%s", code, test.code, test.says, &out)
			}
		})
	}
}

// What fails before the first scenario is told, not a panic.
func TestInterruptedBeforeTheRigIsUp(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out bytes.Buffer
	code := run(ctx, []string{"clerk", "--quick"}, &out, &out)
	if code != exitFailed || out.String() != "bench: interrupted\n" {
		t.Errorf("exit code %d, printed:\n%s", code, &out)
	}
}

// The whole way, with a scenario that is soon over and asks little of the machine.
func TestScenario(t *testing.T) {
	t.Parallel()
	var stdout, stderr bytes.Buffer
	code := run(t.Context(), []string{"clerk", "--quick", "--only", "poison"}, &stdout, &stderr)
	if code != exitOK || !strings.Contains(stdout.String(), "app redrive") || !strings.Contains(stderr.String(), "8 of 8 bounds held") {
		t.Errorf("exit code %d, printed:\n%s\n%s", code, &stdout, &stderr)
	}
}

// A command of the program, its memory, and a population that is larger than what it is copied from.
func TestRecalculation(t *testing.T) {
	t.Parallel()
	var stdout, stderr bytes.Buffer
	code := run(t.Context(), []string{"stale", "--quick", "--only", "recalculate"}, &stdout, &stderr)
	if code != exitOK || !strings.Contains(stdout.String(), "organizations per second") || !strings.Contains(stderr.String(), "3 of 3 bounds held") {
		t.Errorf("exit code %d, printed:\n%s\n%s", code, &stdout, &stderr)
	}
}

// printed is what a function prints.
func printed(t *testing.T, print func(io.Writer) error) string {
	t.Helper()
	var out bytes.Buffer
	if err := print(&out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}
