package clerktest_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/claimsync/claimsync/clerk/clerktest"
)

func answer(status int) clerktest.Fault {
	return clerktest.Fault{Effect: clerktest.Answer, Status: status}
}

func TestParseScript(t *testing.T) {
	t.Parallel()
	with := func(f clerktest.Fault, change func(*clerktest.Fault)) clerktest.Fault { change(&f); return f }
	tests := map[string]clerktest.Fault{
		"at 10s for 60s: 503 for 100 %":   with(answer(503), func(f *clerktest.Fault) { f.At, f.For = 10*time.Second, time.Minute }),
		"503 for 30 %":                    with(answer(503), func(f *clerktest.Fault) { f.Probability = 0.3 }),
		"503 for 30%":                     with(answer(503), func(f *clerktest.Fault) { f.Probability = 0.3 }),
		"at 70s for 1m: hang":             {Effect: clerktest.Hang, At: 70 * time.Second, For: time.Minute},
		"at 5s: late 60s for org_1":       {Effect: clerktest.Late, At: 5 * time.Second, Delay: time.Minute, Organization: "org_1"},
		"latency 300ms":                   {Latency: 300 * time.Millisecond},
		"latency 300ms 409 3 times":       with(answer(409), func(f *clerktest.Fault) { f.Latency, f.Count = 300*time.Millisecond, 3 }),
		"3 times 409":                     with(answer(409), func(f *clerktest.Fault) { f.Count = 3 }),
		"reset before on PATCH once":      {Effect: clerktest.ResetBefore, Method: "PATCH", Count: 1},
		"reset after":                     {Effect: clerktest.ResetAfter},
		"truncate 1 time":                 {Effect: clerktest.Truncate, Count: 1},
		"errors_ok":                       {Effect: clerktest.ErrorsOK},
		"429 retry-after 7s block":        with(answer(429), func(f *clerktest.Fault) { f.RetryAfter, f.Block = 7*time.Second, true }),
		`429 header "Retry-After: soon"`:  with(answer(429), func(f *clerktest.Fault) { f.Header = map[string]string{"Retry-After": "soon"} }),
		`500 body "{\"a\": 1}" for 50 %`:  with(answer(500), func(f *clerktest.Fault) { f.Body, f.Probability = `{"a": 1}`, 0.5 }),
		"  hang :  at 1s  ":               {Effect: clerktest.Hang, At: time.Second},
		"at 0s: hang":                     {Effect: clerktest.Hang},
		"502 for 12.5 % for org_2 for 1h": with(answer(502), func(f *clerktest.Fault) { f.Probability, f.Organization, f.For = 0.125, "org_2", time.Hour }),
	}
	for script, want := range tests {
		got, err := clerktest.ParseScript(script)
		if err != nil {
			t.Errorf("%s: %v", script, err)
		}
		if diff := cmp.Diff([]clerktest.Fault{want}, got); diff != "" {
			t.Errorf("%s: %s", script, diff)
		}
	}
	several, err := clerktest.ParseScript("# an outage\n\n503\n  # and then\r\nhang\r\n")
	if diff := cmp.Diff([]clerktest.Fault{answer(503), {Effect: clerktest.Hang}}, several); err != nil || diff != "" {
		t.Errorf("%v %s", err, diff)
	}
	if none, err := clerktest.ParseScript(""); err != nil || len(none) != 0 {
		t.Errorf("empty: %v, %v", none, err)
	}
}

// An error names the line and the word, and what would be right.
func TestParseScriptErrors(t *testing.T) {
	t.Parallel()
	for script, want := range map[string]string{
		"503\n\nhnag":            `line 3: "hnag": begins no part of a fault; the parts are at, for,`,
		"at noon: 503":           `line 1: "at": needs a duration after it as 1.5s, not "noon"`,
		"at":                     `line 1: "at": needs a duration after it as 1.5s, not ""`,
		"503 for":                `line 1: "for": needs a duration as 60s after it, a share as 30 %, or an organization as org_1, not ""`,
		"503 for 30":             `not "30"`,
		"503 for -5s":            `not "-5s"`,
		"503 for 0 %":            `line 1: "for": the share must be more than 0 %`,
		"503 for 101 %":          `at most 100 %`,
		"503 for NaN %":          `at most 100 %`,
		"503 hang":               `line 1: "hang": the line has an effect already`,
		"503 for 1s for 2s":      `line 1: "for": is there twice`,
		"503 once 3 times":       `line 1: "3": is there twice`,
		"0 times hang":           `line 1: "0": must be at least once`,
		"reset":                  `line 1: "reset": needs to be reset before or reset after`,
		"late":                   `line 1: "late": needs a duration after it`,
		"answer":                 `line 1: "answer": begins no part`,
		"99":                     `line 1: status 99 is not between 200 and 599`,
		"at 5s":                  `line 1: a fault needs an effect or a latency`,
		"429 block":              `line 1: only an answer 429 with a retry-after of a second or more can block`,
		"429 header Retry-After": `line 1: "header": needs a header after it as "Retry-After: soon", not "Retry-After"`,
		`hang header "A: b"`:     `line 1: only an answer can have headers of its own`,
		`500 body "x`:            `the quotation does not end`,
		`500 "" hang`:            `line 1: "" stands for nothing`,
		"on":                     `line 1: "on": needs a word after it`,
		"bad\nhang\nworse":       "line 1: \"bad\"",
	} {
		_, err := clerktest.ParseScript(script)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", script, err, want)
		}
	}
	if _, err := clerktest.ParseScript("bad\nhang\nworse"); !strings.Contains(err.Error(), `line 3: "worse"`) {
		t.Errorf("not all wrong lines are named: %v", err)
	}
}

// Every fault a script can say can be written down and read again.
func TestScriptRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := anyFault().Draw(t, "fault")
		if want.Check() != nil {
			t.Skip()
		}
		got, err := clerktest.ParseScript(want.String())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]clerktest.Fault{want}, got); diff != "" {
			t.Errorf("%s: %s", want, diff)
		}
	})
}

func anyFault() *rapid.Generator[clerktest.Fault] {
	return rapid.Custom(func(t *rapid.T) clerktest.Fault {
		duration := func(name string) time.Duration {
			return time.Duration(rapid.IntRange(0, 300).Draw(t, name)) * time.Second / 4
		}
		f := clerktest.Fault{
			Effect: rapid.SampledFrom([]clerktest.Effect{
				clerktest.None, clerktest.Answer, clerktest.EmptyOK, clerktest.NullOK, clerktest.ErrorsOK, clerktest.Hang,
				clerktest.ResetBefore, clerktest.ResetAfter, clerktest.Truncate, clerktest.Late,
			}).Draw(t, "effect"),
			At: duration("at"), For: duration("for"), Latency: duration("latency"),
			Organization: rapid.OneOf(
				rapid.SampledFrom([]string{"", "org_1", "org_a b", "org_a\nb"}), rapid.StringMatching(`org_(?s:.*)`),
			).Draw(t, "organization"),
			Method: rapid.OneOf(
				rapid.SampledFrom([]string{"", "PATCH", "a:", "a\nb", "a\u00a0"}), rapid.String(),
			).Draw(t, "method"),
			Count:       rapid.IntRange(0, 5).Draw(t, "count"),
			Probability: float64(rapid.IntRange(0, 99).Draw(t, "percent")) / 100,
		}
		switch f.Effect {
		case clerktest.Answer:
			f.Status = rapid.SampledFrom([]int{200, 301, 429, 503}).Draw(t, "status")
			f.Body = rapid.String().Draw(t, "body")
			f.RetryAfter = duration("retry after")
			f.Block = rapid.Bool().Draw(t, "block")
			if rapid.Bool().Draw(t, "header") {
				f.Header = map[string]string{"X-A": "b: \"c\""}
			}
		case clerktest.Late:
			f.Delay = duration("delay")
		}
		return f
	})
}

func FuzzParseScript(f *testing.F) {
	f.Add("at 10s for 60s: 503 for 100 %\nlate 60s for org_1 once")
	f.Add(`429 header "Retry-After: soon" body "x"`)
	f.Add(`hang for "org_a b"` + "\n" + `hang on "a\nb"`)
	f.Fuzz(func(t *testing.T, script string) {
		faults, err := clerktest.ParseScript(script)
		if err != nil {
			return
		}
		for _, fault := range faults {
			if err := fault.Check(); err != nil {
				t.Errorf("%q: %v", script, err)
			}
			// Not compared: String rounds shares.
			if _, err := clerktest.ParseScript(fault.String()); err != nil {
				t.Errorf("%q is written down as %q: %v", script, fault, err)
			}
		}
	})
}
