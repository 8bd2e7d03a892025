package main

import (
	"net/http"
	"testing"
	"time"

	"github.com/claimsync/claimsync/clerk"
	"github.com/claimsync/claimsync/clerk/clerktest"
)

func answering(status int, body string) clerktest.Fault {
	return clerktest.Fault{Effect: clerktest.Answer, Status: status, Body: body}
}

// What is wrong with Clerk, or with how it is called, has a remedy each; what needs it is not tried.
func TestDoctorClerk(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		ill   func(*patient)
		found []string
	}{
		"another key":   {func(p *patient) { p.clerk.SetSecretKey("sk_test_rotated") }, []string{"401", "clerk_key_invalid", "revoked", "api-keys"}},
		"away":          {func(p *patient) { _ = p.clerk.Close() }, []string{"Does this machine reach Clerk?", "CLERK_API_URL"}},
		"failing":       {func(p *patient) { p.clerk.SetFaults(answering(503, "")) }, []string{"503", "status.clerk.com"}},
		"without /v1":   {func(p *patient) { p.set["CLERK_API_URL"] = p.clerk.URL() }, []string{"CLERK_API_URL", "with its /v1"}},
		"not Clerk":     {func(p *patient) { p.clerk.SetFaults(answering(200, "<html>")) }, []string{"with its /v1"}},
		"rate limited":  {func(p *patient) { p.clerk.SetFaults(answering(429, "")) }, []string{"429", "CLERK_RATE_SHARE"}},
		"may not do it": {func(p *patient) { p.clerk.SetFaults(answering(403, `{"errors":[{"code":"no"}]}`)) }, []string{"403: no", "may not do this"}},
		"of another version": {func(p *patient) {
			p.clerk.SetFaults(answering(400, `{"errors":[{"code":"api_version_invalid"}]}`))
		}, []string{"api_version_invalid", "newer version of app"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPatient(t, "")
			test.ill(p)
			found := p.findings()
			found["Clerk key"].is(t, passed, "development instance")
			found["Clerk"].is(t, failed, test.found...)
			found["organizations"].is(t, skipped, "not before Clerk accepts the key")
			if n := len(p.clerk.Requests()); n > 1 {
				t.Errorf("%d requests, though the first failed", n)
			}
		})
	}
}

func TestDoctorKeys(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		key  string
		want string
	}{
		"none":           {"", "the secret key is empty"},
		"publishable":    {"pk_test_hunter2", "must look like sk_test_"},
		"with a newline": {testKey + "\n", "control character"},
	} {
		p := newPatient(t, "")
		p.set["CLERK_SECRET_KEY"] = test.key
		found := p.findings()
		found["Clerk key"].is(t, failed, test.want, "api-keys")
		for _, step := range []string{"Clerk", "Clerk's clock", "rate limit", "organizations"} {
			found[step].is(t, skipped, "not without a key")
		}
		if n := len(p.clerk.Requests()); n > 0 {
			t.Errorf("%s: %d requests", name, n)
		}
	}
}

func TestDoctorOrganizations(t *testing.T) {
	t.Parallel()
	p := newPatient(t, "")
	p.clerk.AddOrganization("org_1", "Acme")
	p.clerk.AddOrganization("org_2", "Beta")
	p.finds("organizations", passed, "there are 2")
	p.clerk.EnableOrganizations(false)
	found := p.findings()
	found["Clerk"].is(t, passed)
	found["organizations"].is(t, failed, "organization_not_enabled_in_instance", "Enable organizations")
}

// The instance and the key, and the limit that follows from them.
func TestDoctorInstance(t *testing.T) {
	t.Parallel()
	p := newPatient(t, "")
	p.finds("Clerk", passed, "accepts the key, for the development instance ins_clerktest")
	p.finds("rate limit", passed, "100 requests per 10 s, of which we use 90")
	p.set["CLERK_RATE_LIMIT"] = "50"
	p.finds("rate limit", passed, "we use 45 at most, of the 50 that we count on")
	p.set["CLERK_RATE_LIMIT"] = "1000"
	p.finds("rate limit", warned, "and we count on 1000", "Unset CLERK_RATE_LIMIT")
	p.set["CLERK_RATE_LIMIT"] = "-1"
	p.finds("rate limit", warned, "no limit")

	delete(p.set, "CLERK_RATE_LIMIT")
	p.clerk.SetFaults(answering(200, `{"object":"instance","id":"ins_1","environment_type":"production"}`))
	found := p.findings()
	found["Clerk"].is(t, warned, "production instance ins_1", "looks like one of a development instance", "CLERK_RATE_LIMIT")
	found["rate limit"].is(t, passed, "Clerk admits 1000", "we use 90")

	if got := runApp(t, t.Context(), "", p.environment(), "doctor", "--clerk-rate-share=2"); got.code != exitUsage {
		t.Errorf("a share of 2: %+v", got)
	}
}

// A clock that is wrong is found whichever it is: this machine's against both others, Clerk's by itself.
func TestDoctorClocks(t *testing.T) {
	t.Parallel()
	p := newPatient(t, "")
	const instance = `{"object":"instance","id":"ins_1","environment_type":"development"}`
	skewed := answering(http.StatusOK, instance)
	skewed.Header = map[string]string{"Date": time.Now().Add(-10 * time.Minute).UTC().Format(http.TimeFormat)}
	p.clerk.SetFaults(skewed)
	p.finds("Clerk's clock", failed, "ahead of Clerk's", "NTP")
	skewed.Header = map[string]string{"Date": "soon"}
	p.clerk.SetFaults(skewed)
	p.finds("Clerk's clock", skipped, "has not told the time")
	p.clerk.ClearFaults()
	p.finds("Clerk's clock", passed)

	for skew, want := range map[time.Duration]verdict{
		0: passed, 4 * time.Second: passed, 6 * time.Second: warned, -6 * time.Second: warned, -61 * time.Second: failed, 2 * time.Hour: failed,
	} {
		skewFinding(skew, "Clerk's").is(t, want)
	}
}

func TestDoctorRateOfLiveKey(t *testing.T) {
	t.Parallel()
	rateFinding(rateFlags{RateShare: 0.5}, 1000, 1000).is(t, passed, "Clerk admits 1000 requests per 10 s, of which we use 500")
	// A key that looks like a production instance's, and opens a development instance.
	rateFinding(rateFlags{RateShare: 0.9}, 100, 1000).is(t, warned, "we count on 1000")
	if kinds[clerk.KeyLive] != "production" {
		t.Error(kinds)
	}
}
