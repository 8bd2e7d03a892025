package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// outcome is how a run ended.
type outcome struct {
	code           int
	stdout, stderr string
}

// runApp runs the program in this process. environment is NAME=value.
func runApp(t testing.TB, ctx context.Context, stdin string, environment []string, args ...string) outcome {
	t.Helper()
	getenv := func(name string) string {
		for _, variable := range environment {
			if value, found := strings.CutPrefix(variable, name+"="); found {
				return value
			}
		}
		return ""
	}
	var stdout, stderr bytes.Buffer
	code := run(ctx, args, strings.NewReader(stdin), &stdout, &stderr, getenv)
	transcript.add(t, args, stdout.String()+stderr.String())
	return outcome{code, stdout.String(), stderr.String()}
}

// A mistake in the configuration is one clear line and exit code 2, and no secret in it.
func TestUsage(t *testing.T) {
	t.Parallel()
	const database = "DATABASE_URL=postgres://nobody:hunter2@127.0.0.1:1/none"
	key := "CLERK_SECRET_KEY=" + testKey
	tests := map[string]struct {
		environment []string
		args        []string
		stderr      string
	}{
		"unknown command":     {nil, []string{"serf"}, "unexpected argument serf"},
		"unknown flag":        {nil, []string{"migrate", "--fast"}, "unknown flag --fast"},
		"no database":         {[]string{key}, []string{"serve"}, "set DATABASE_URL"},
		"no database, import": {nil, []string{"import", "x"}, "set DATABASE_URL"},
		"not a database URL":  {[]string{"DATABASE_URL=postgres://%zz:hunter2@x"}, []string{"migrate"}, "database URL"},
		"no Clerk key":        {[]string{database}, []string{"serve"}, "CLERK_SECRET_KEY"},
		"Clerk key of another form": {
			[]string{database, "CLERK_SECRET_KEY=pk_test_hunter2"}, []string{"serve"}, "CLERK_SECRET_KEY",
		},
		"webhook secret of another form": {
			[]string{database, key, "CLERK_WEBHOOK_SECRET=hunter2"}, []string{"serve"}, "CLERK_WEBHOOK_SECRET",
		},
		"webhook secret of nothing": {[]string{database, key}, []string{"serve", "--clerk-webhook-secret=whsec_"}, "CLERK_WEBHOOK_SECRET"},
		"Clerk URL without a host":  {[]string{database, key, "CLERK_API_URL=api.clerk.com"}, []string{"serve"}, "API URL"},
		"open to others without a token": {
			[]string{database, key, "HTTP_ADDR=0.0.0.0:0"}, []string{"serve"}, "ADMIN_TOKEN is not set",
		},
		"all addresses without a token": {[]string{database, key, "HTTP_ADDR=:0"}, []string{"serve"}, "ADMIN_TOKEN is not set"},
		"no workers":                    {[]string{database, key}, []string{"serve", "--max-workers=0"}, "--max-workers"},
		"log level":                     {[]string{"LOG_LEVEL=loud"}, []string{"migrate"}, "--log-level"},
		"nobody to recalculate":         {[]string{database}, []string{"recalculate"}, "--all"},
		"everybody and somebody":        {[]string{database}, []string{"recalculate", "--all", "a"}, "--all"},
		"restarting somebody":           {[]string{database}, []string{"recalculate", "a", "--restart"}, "--restart goes with --all"},
		"nobody to resync":              {[]string{database}, []string{"resync"}, "--all"},
		"everybody and somebody again":  {[]string{database}, []string{"resync", "--all", "a"}, "--all"},
		"resyncing somebody anew":       {[]string{database}, []string{"resync", "a", "--restart"}, "--restart goes with --all"},
		"no database to resync":         {nil, []string{"resync", "--all"}, "set DATABASE_URL"},
		"nobody to redrive":             {[]string{database}, []string{"redrive"}, "--all"},
		"a reason, and somebody":        {[]string{database}, []string{"redrive", "a", "--reason=park 422"}, "--reason goes with --all"},
		"why of no one":                 {[]string{database}, []string{"why"}, "<id>"},
		"no Clerk key to compare with":  {[]string{database}, []string{"drift"}, "CLERK_SECRET_KEY"},
		"no database to compare with":   {[]string{key}, []string{"drift"}, "set DATABASE_URL"},
		"compared all the time":         {[]string{database, key}, []string{"serve", "--drift-every=1s"}, "--drift-every"},
		"compared at an odd time":       {[]string{database, key, "DRIFT_EVERY=daily"}, []string{"serve"}, `a time like 24h, or never, got "daily"`},
		"renewed all the time":          {[]string{database, key}, []string{"serve", "--claims-renew-every=1s"}, "--claims-renew-every: must be at least 1m0s"},
		"renewed at an odd time":        {[]string{database, key, "CLAIMS_RENEW_EVERY=daily"}, []string{"serve"}, `a time like 24h, or never, got "daily"`},
		"deliveries kept for an hour":   {[]string{database, key}, []string{"serve", "--delivery-retention=1h"}, "--delivery-retention: must be at least 24h0m0s"},
		"kept for an odd time":          {[]string{database, key, "OPERATOR_LOG_RETENTION=a year"}, []string{"serve"}, `a time like 168h, or forever, got "a year"`},
		"a rate of none":                {[]string{database}, []string{"why", "a", "--clerk-organization-rate-limit=0"}, "--clerk-organization-rate-limit"},
		"breaker, and then":             {nil, []string{"breaker"}, "set DATABASE_URL"},
		"no such file":                  {nil, []string{"score", "/nonexistent/file"}, "no such file"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := runApp(t, t.Context(), "", test.environment, test.args...)
			if got.code != exitUsage {
				t.Errorf("exit code %d, want %d; stderr: %s", got.code, exitUsage, got.stderr)
			}
			if !strings.Contains(got.stderr, test.stderr) {
				t.Errorf("stderr does not say %q: %s", test.stderr, got.stderr)
			}
			if strings.Contains(got.stderr, "hunter2") {
				t.Errorf("a secret is shown: %s", got.stderr)
			}
			if lines := strings.Count(strings.TrimSuffix(got.stderr, "See app --help.\n"), "\n"); lines != 1 {
				t.Errorf("%d lines, want one: %s", lines, got.stderr)
			}
		})
	}
}

// An unreachable database is a failure, not a mistake of the user's.
func TestDatabaseAway(t *testing.T) {
	t.Parallel()
	got := runApp(t, t.Context(), "", []string{"DATABASE_URL=postgres://x:hunter2@127.0.0.1:1/x"}, "status")
	if got.code != exitFailed || !strings.Contains(got.stderr, "the database does not answer") {
		t.Errorf("exit code %d, stderr: %s", got.code, got.stderr)
	}
	if strings.Contains(got.stderr, "hunter2") {
		t.Errorf("the password is shown: %s", got.stderr)
	}
}

// Every command explains itself.
func TestHelp(t *testing.T) {
	t.Parallel()
	for _, command := range []string{
		"", "demo", "serve", "migrate", "import", "score", "recalculate", "status", "why", "redrive",
		"drift", "breaker", "breaker open", "breaker close", "breaker status", "clerk-emulator", "healthcheck", "doctor", "satellite",
	} {
		got := runApp(t, t.Context(), "", nil, append(strings.Fields(command), "--help")...)
		if got.code != exitOK || !strings.Contains(got.stdout, "Usage: app") || got.stderr != "" {
			t.Errorf("%s --help: exit code %d\n%s%s", command, got.code, got.stdout, got.stderr)
		}
	}
	serve := runApp(t, t.Context(), "", nil, "serve", "--help").stdout
	for _, variable := range []string{
		"DATABASE_URL", "CLERK_SECRET_KEY", "CLERK_API_URL", "HTTP_ADDR", "ADMIN_TOKEN", "CLERK_WEBHOOK_SECRET", "CLERK_LINK_KEY",
		"CLAIMS_RENEW_EVERY", "DELIVERY_RETENTION", "OPERATOR_LOG_RETENTION",
	} {
		if !strings.Contains(serve, "$"+variable) {
			t.Errorf("serve --help does not tell of %s", variable)
		}
	}
}

func TestScore(t *testing.T) {
	t.Parallel()
	const good = `{"now":"2026-11-22T00:00:00Z","certification_tier":"ACCREDITED"}`
	input := strings.Join([]string{
		good, "", `{"now":`, strings.Replace(good, "ACCREDITED", "GOLD", 1),
		`{"now":"2026-11-22T00:00:00Z","certification_tier":"CERTIFIED","assessments":[{"iso_element":"PURCHASING","status":"PARTIAL","score":250}]}`,
		good,
	}, "\n")
	got := runApp(t, t.Context(), input, nil, "score")
	if got.code != exitFailed {
		t.Errorf("exit code %d, want 1", got.code)
	}
	results := strings.Split(strings.TrimSuffix(got.stdout, "\n"), "\n")
	if len(results) != 2 {
		t.Fatalf("%d results, want 2:\n%s", len(results), got.stdout)
	}
	for _, line := range results {
		var result struct {
			Overall int `json:"overall_score"`
		}
		if err := json.Unmarshal([]byte(line), &result); err != nil || result.Overall != 5 {
			t.Errorf("result %s: overall %d, want 5 (%v)", line, result.Overall, err)
		}
	}
	problems := strings.Split(strings.TrimSuffix(got.stderr, "\n"), "\n")
	for i, want := range []string{"line 3: ", "line 4: certification_tier: ", "line 5: assessments[0].score: "} {
		if i >= len(problems) || !strings.HasPrefix(problems[i], want) {
			t.Fatalf("problem %d should start with %q:\n%s", i, want, got.stderr)
		}
	}

	file := filepath.Join(t.TempDir(), "snapshots.ndjson")
	if err := os.WriteFile(file, []byte(good), 0o600); err != nil {
		t.Fatal(err)
	}
	fromFile := runApp(t, t.Context(), "", nil, "score", file)
	if fromFile.code != exitOK || fromFile.stdout != results[0]+"\n" || fromFile.stderr != "" {
		t.Errorf("from a file: %+v", fromFile)
	}
}

func TestDemo(t *testing.T) {
	t.Parallel()
	got := runApp(t, t.Context(), "", nil, "demo", "--once")
	if got.code != exitOK {
		t.Errorf("exit code %d\n%s%s", got.code, got.stdout, got.stderr)
	}
	for _, want := range []string{
		"55 in step, 5 skipped for want of a Clerk id, 0 different.",
		"refused, 403: Required is insurance_valid: true. The session token has false.", "let in, 200", "from the API's answer to the satellite's",
	} {
		if !strings.Contains(got.stdout, want) {
			t.Errorf("it does not say %q:\n%s", want, got.stdout)
		}
	}
}
