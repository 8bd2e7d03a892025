package main

import (
	"context"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/claimsync/claimsync/clerk/clerktest"
	"github.com/claimsync/claimsync/db/dbtest"
)

// It changes nothing: neither an empty database, nor one that is in use, nor Clerk; whatever Clerk answers, and also where the
// database would not let it.
func TestDoctorChangesNothing(t *testing.T) {
	t.Parallel()
	for name, url := range map[string]string{"empty": dbtest.EmptyURL(t), "in use": dbtest.URL(t), "refused": dbtest.URL(t)} {
		p := newPatient(t, url)
		if name != "empty" {
			p.settle(5)
		}
		if name == "refused" {
			p.clerk.SetFaults(clerktest.Fault{
				Effect: clerktest.Answer, Organization: settled, Method: "GET", Status: 429, RetryAfter: 5 * time.Minute,
			})
		}
		before := p.contents()
		found := p.findings()
		if want := map[string]verdict{"empty": skipped, "in use": failed, "refused": failed}[name]; found["round trip"].Verdict != want {
			t.Errorf("%s: the round trip has found %+v", name, found["round trip"])
		}
		if diff := cmp.Diff(before, p.contents()); diff != "" {
			t.Errorf("%s (-before +after):\n%s", name, diff)
		}
		for _, request := range p.clerk.Requests() {
			if request.Method != "GET" {
				t.Errorf("%s: it has asked Clerk to %s %s", name, request.Method, request.Path)
			}
		}
	}
}

// For people it is a line for each step, the remedy below, at 80 columns, and a sum.
func TestDoctorForPeople(t *testing.T) {
	t.Parallel()
	p := newPatient(t, dbtest.EmptyURL(t))
	p.set["CLERK_RATE_LIMIT"] = "1000"
	got := runApp(t, t.Context(), "", p.environment(), "doctor")
	if got.code != exitFailed || got.stderr != "" {
		t.Errorf("%+v", got)
	}
	for _, want := range []string{
		"✓ PostgreSQL       version ", "✗ migrations       there are no tables of claimsync\n                   → Run app migrate; ",
		"– queue            not before the database is migrated\n", "! rate limit       Clerk admits 100 requests", "\n2 failures, 1 warning.\n",
	} {
		if !strings.Contains(got.stdout, want) {
			t.Errorf("it does not say %q:\n%s", want, got.stdout)
		}
	}
	for line := range strings.Lines(got.stdout) {
		if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > textWidth {
			t.Errorf("a line of %d characters: %s", n, line)
		}
	}
}

// A stop is not a finding.
func TestDoctorInterrupted(t *testing.T) {
	t.Parallel()
	p := newPatient(t, dbtest.URL(t))
	p.clerk.SetFaults(clerktest.Fault{Effect: clerktest.Hang})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		_ = p.clerk.WaitFor(ctx, func() bool { return len(p.clerk.Requests()) > 0 })
		cancel()
	}()
	got := runApp(t, ctx, "", p.environment(), "doctor")
	if got.code != exitFailed || !strings.Contains(got.stderr, "context canceled") || strings.Contains(got.stdout, "✗ Clerk ") {
		t.Errorf("%+v", got)
	}
}
