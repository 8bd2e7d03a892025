package main

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/claimsync/claimsync/clerk/clerktest"
	"github.com/claimsync/claimsync/internal/proctest"
)

// The secrets of the tests. The emulator's own are none: it prints them.
const (
	testKey      = "sk_test_keyOfTheTest"
	testToken    = "token-of-the-test"
	testPassword = "hunter2"
)

var testWebhookSecret = "whsec_" + base64.StdEncoding.EncodeToString([]byte("webhook secret of the test"))

// transcript is everything that the commands have printed and logged, of all tests.
var transcript printed

// printed is what several commands have printed.
type printed struct {
	mu       sync.Mutex
	commands []printedBy
}

type printedBy struct{ command, text string }

func (p *printed) add(t testing.TB, args []string, text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.commands = append(p.commands, printedBy{fmt.Sprintf("%s: app %s", t.Name(), strings.Join(args, " ")), text})
}

// startApp starts the program as a process, whose log is part of the transcript.
func startApp(t testing.TB, environment []string, args ...string) *proctest.Process {
	t.Helper()
	var p *proctest.Process
	t.Cleanup(func() { // after that of proctest, so when it has ended
		if p != nil {
			transcript.add(t, args, p.Log())
		}
	})
	p = proctest.Start(t, os.Args[0], append([]string{asApp + "=1"}, environment...), args...)
	return p
}

// searched runs the tests, and fails if the transcript has a secret.
type searched struct{ tests *testing.M }

func (s searched) Run() int {
	code := s.tests.Run()
	for _, found := range transcript.secrets() {
		fmt.Fprintln(os.Stderr, "FAIL: a secret is printed:", found)
		code = max(code, 1)
	}
	return code
}

// forbidden is what has the form of a secret, and what the tests use as one.
var forbidden = regexp.MustCompile(strings.Join([]string{
	regexp.QuoteMeta(testToken), regexp.QuoteMeta(testPassword),
	regexp.QuoteMeta(strings.TrimPrefix(testWebhookSecret, "whsec_")),
	`\bsk_(?:test|live)_[A-Za-z0-9]+`,
	`\bwhsec_[A-Za-z0-9+/=]+`,
	`(?i:\bbearer) [A-Za-z0-9._~+/=-]{8,}`,
	`(?i:\bbasic) [A-Za-z0-9+/=]{12,}`,
	`\bpostgres(?:ql)?://[^:@/\s]+:[^@\s]+@`,
	`\bpassword=\S+`,
}, "|"))

// allowed are the emulator's own, and the placeholders in what explains the usage.
var allowed = map[string]bool{
	clerktest.DefaultSecretKey: true, clerktest.DefaultWebhookSecret: true,
	"postgres://user:password@": true, "sk_test_new": true,
}

// madeUp is the one line that tells a token, and only to whoever has set none.
var madeUp = regexp.MustCompile(`(?m)^No ADMIN_TOKEN is set: for this run it is (\S+)$`)

// secrets returns the lines with a secret, and whose they are.
func (p *printed) secrets() (found []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, by := range p.commands {
		token := "\x00" // which is nowhere
		if match := madeUp.FindStringSubmatch(by.text); match != nil {
			token = match[1]
		}
		for line := range strings.Lines(by.text) {
			line = strings.TrimSuffix(line, "\n")
			if secret := secretIn(line); secret != "" || strings.Contains(line, token) && !madeUp.MatchString(line) {
				found = append(found, fmt.Sprintf("%s: %q in: %s", by.command, cmp.Or(secret, token), line))
			}
		}
	}
	return found
}

// redacted ends a URL whose password pgx has left out.
const redacted = ":xxxxx@"

// secretIn returns the first secret of the line; "" for none.
func secretIn(line string) string {
	for _, match := range forbidden.FindAllString(line, -1) {
		if !allowed[match] && !strings.HasSuffix(match, redacted) {
			return match
		}
	}
	return ""
}

// What is looked for in the transcript is found, and nothing else.
func TestSecretsAreFound(t *testing.T) {
	t.Parallel()
	secret := []string{
		`{"level":"INFO","msg":"Calling Clerk","key":"` + testKey + `"}`,
		`{"msg":"x","header":{"Authorization":["Bearer abcdefgh12"]}}`,
		`authorization: Basic YWRtaW46dG9rZW4tb2Y=`,
		`{"err":"key sk_live_51abc is refused"}`,
		`{"secret":"whsec_c29tZXRoaW5n"}`,
		`{"config":"` + testWebhookSecret[6:] + `"}`,
		`{"token":"` + testToken + `"}`,
		`cannot connect to postgres://somebody:` + testPassword + `@127.0.0.1/x`,
		`cannot connect to postgresql://somebody:else@127.0.0.1/x`,
		`host=127.0.0.1 user=x password=y dbname=z`,
		"No ADMIN_TOKEN is set: for this run it is ABCDEFGH\nlater: ABCDEFGH",
		"No ADMIN_TOKEN is set: for this run it is " + testToken,
	}
	harmless := []string{
		`{"level":"INFO","msg":"Delivered","key":"org_1","clerk_trace_id":"0123456789abcdef"}`,
		"CLERK_SECRET_KEY=" + clerktest.DefaultSecretKey, "CLERK_WEBHOOK_SECRET=" + clerktest.DefaultWebhookSecret,
		"Clerk's secret key, sk_live_… or sk_test_…", "whsec_…. Without it there is none.",
		"set DATABASE_URL, as postgres://user:password@host/database", "connected to postgres://x@127.0.0.1/y",
		"cannot parse postgres://x:xxxxx@127.0.0.1/y",
		"No ADMIN_TOKEN is set: for this run it is ABCDEFGH",
	}
	check := func(text string, want int) {
		t.Helper()
		var p printed
		p.add(t, []string{"serve"}, text+"\n")
		found := p.secrets()
		if len(found) != want || want > 0 && !strings.Contains(found[0], "TestSecretsAreFound: app serve: ") {
			t.Errorf("%s: found %q", text, found)
		}
	}
	for _, text := range secret {
		check(text, 1)
	}
	for _, text := range harmless {
		check(text, 0)
	}
}
