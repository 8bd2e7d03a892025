package claims_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/claimsync/claimsync/clerk/claims"
	"github.com/claimsync/claimsync/clerk/clerktest"
)

func TestVerify(t *testing.T) {
	r := newReader(t)
	issued := time.Now().Truncate(time.Second)
	got, err := r.Verify(t.Context(), r.mint(func(request *clerktest.TokenRequest) {
		request.Subject, request.SessionID, request.Role = "user_1", "sess_1", "admin"
		request.IssuedAt, request.Lifetime = issued, time.Minute
	}))
	if err != nil {
		t.Fatal(err)
	}
	want := &claims.Claims{
		Subject: "user_1", SessionID: "sess_1", OrganizationID: "org_1", Role: "org:admin",
		IssuedAt: issued, ExpiresAt: issued.Add(time.Minute),
		Tier: new(claims.Certified), Score: new(87), InsuranceValid: new(true),
		AsOf: new(time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// What Clerk's SDK alone lets pass, and whatever else must not. The first is as all others but for what is wrong in them.
func TestHazards(t *testing.T) {
	r := newReader(t)
	past, future := time.Now().Add(-time.Hour).Unix(), time.Now().Add(time.Hour).Unix()
	tests := map[string]struct {
		override map[string]any
		want     claims.Reason
	}{
		"nothing":                 {nil, ""},
		"the other party":         {map[string]any{"azp": "https://app.example.com"}, ""},
		"no status":               {map[string]any{"sts": nil}, ""},
		"nothing of ours":         {map[string]any{"certification_tier": nil, "compliance_score": nil, "insurance_valid": nil, "claims_as_of": nil}, ""},
		"another instance":        {map[string]any{"iss": "https://other.clerk.accounts.dev"}, claims.WrongIssuer},
		"an issuer like Clerk's":  {map[string]any{"iss": "https://clerk.evil.example"}, claims.WrongIssuer},
		"more of an issuer":       {map[string]any{"iss": clerktest.Issuer + "/"}, claims.WrongIssuer},
		"no issuer":               {map[string]any{"iss": nil}, claims.WrongIssuer},
		"no party":                {map[string]any{"azp": nil}, claims.WrongParty},
		"an empty party":          {map[string]any{"azp": ""}, claims.WrongParty},
		"another party":           {map[string]any{"azp": "https://evil.example"}, claims.WrongParty},
		"a party below ours":      {map[string]any{"azp": satellite + ".evil.example"}, claims.WrongParty},
		"no expiry":               {map[string]any{"exp": nil}, claims.NoSession},
		"expired":                 {map[string]any{"exp": past}, claims.Expired},
		"expired within leeway":   {map[string]any{"exp": time.Now().Add(-time.Second).Unix()}, ""},
		"expired beyond leeway":   {map[string]any{"exp": time.Now().Add(-8 * time.Second).Unix()}, claims.Expired},
		"not valid yet":           {map[string]any{"nbf": future}, claims.Early},
		"of the future":           {map[string]any{"iat": future}, claims.Early},
		"of no time":              {map[string]any{"iat": nil}, claims.NoSession},
		"no session":              {map[string]any{"sid": nil}, claims.NoSession},
		"no user":                 {map[string]any{"sub": nil}, claims.NoSession},
		"pending":                 {map[string]any{"sts": "pending"}, claims.Pending},
		"of an unknown status":    {map[string]any{"sts": "expired"}, claims.Pending},
		"a status of no type":     {map[string]any{"sts": []string{"active"}}, claims.Pending},
		"a user of another type":  {map[string]any{"sub": 5}, claims.Malformed},
		"an expiry of no type":    {map[string]any{"exp": "tomorrow"}, claims.Malformed},
		"a party of another type": {map[string]any{"azp": []string{satellite}}, claims.Invalid},
		"an organization, too":    {map[string]any{"o": "org_1"}, claims.Invalid},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			c, err := r.Verify(t.Context(), r.mint(with(test.override)))
			if got := reasonOf(t, c, err); got != test.want {
				t.Errorf("refused for %q, want %q", got, test.want)
			}
		})
	}
	if got, want := r.count.of("refused wrong_party"), 4; got != want {
		t.Errorf("%d refusals for the party are counted, want %d", got, want)
	}
	for _, want := range []string{"iss=https://clerk.evil.example", "azp=https://evil.example"} {
		if !strings.Contains(r.log.String(), want) {
			t.Errorf("the log does not have %s, by which a wrong configuration is found", want)
		}
	}
}

// What is no token at all, or no longer the one that was signed.
func TestMalformedTokens(t *testing.T) {
	r := newReader(t)
	good := r.mint()
	parts := strings.Split(good, ".")
	r.expect(good, "")
	for name, test := range map[string]struct {
		token string
		want  claims.Reason
	}{
		"none":            {"", claims.Missing},
		"a word":          {"gibberish", claims.Malformed},
		"an opaque key":   {"sk_test_1", claims.Malformed},
		"dots":            {"..", claims.Malformed},
		"two parts":       {parts[0] + "." + parts[1], claims.Malformed},
		"four parts":      {good + ".x", claims.Malformed},
		"white space":     {parts[0] + " ." + parts[1] + "." + parts[2], claims.Malformed},
		"in JSON":         {`{"protected":"` + parts[0] + `","payload":"` + parts[1] + `","signature":"` + parts[2] + `"}`, claims.Malformed},
		"huge":            {r.mint(with(map[string]any{"x": strings.Repeat("x", 17<<10)})), claims.Malformed},
		"cut off":         {good[:len(good)-10], claims.Invalid},
		"other claims":    {parts[0] + "." + strings.Split(r.mint(with(map[string]any{"sub": "user_2"})), ".")[1] + "." + parts[2], claims.Invalid},
		"not signed":      {parts[0] + "." + parts[1] + ".", claims.Invalid},
		"another's claim": {parts[0] + "." + parts[0] + "." + parts[2], claims.Invalid},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := r.Verify(t.Context(), test.token)
			if got := reasonOf(t, c, err); got != test.want {
				t.Errorf("refused for %q, want %q", got, test.want)
			}
			if err != nil && len(test.token) > 4 && strings.Contains(err.Error(), test.token) {
				t.Errorf("the error has the token: %v", err)
			}
		})
	}
	if log := r.log.String(); strings.Contains(log, parts[1]) || strings.Contains(log, "sk_test_1") {
		t.Error("the log has a token")
	}
}
