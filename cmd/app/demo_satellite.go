package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/claimsync/claimsync/clerk/claims"
	"github.com/claimsync/claimsync/clerk/claims/claimsmetrics"
	"github.com/claimsync/claimsync/clerk/clerktest"
	"github.com/claimsync/claimsync/scoring"
)

// demoParty is the application that the demo's tokens are made for.
const demoParty = "https://reports.example.com"

// insuredWork is what only the insured may see.
const insuredWork = "/reports/insured-work"

// startSatellite runs the other application, which shares nothing with the monolith: it knows the issuer of the tokens.
func (s *stage) startSatellite(ctx context.Context, logger *slog.Logger) (err error) {
	s.reader = &http.Client{Timeout: 15 * time.Second, Transport: http.DefaultTransport.(*http.Transport).Clone()}
	s.atEnd(func() error { s.reader.CloseIdleConnections(); return nil })
	observer := claimsmetrics.New()
	verifier, err := claims.NewVerifier(claims.Config{
		Issuer: clerktest.Issuer, AuthorizedParties: []string{demoParty}, Keys: claims.JWKS(s.clerk.BaseURL() + "/jwks"),
		HTTPClient: s.reader, Logger: logger, Observer: observer,
	})
	if err != nil {
		return err
	}
	if s.satellite, err = startSatellite(ctx, "127.0.0.1:0", newSatelliteHandler(verifier, 0, observer), logger); err != nil {
		return err
	}
	s.atEnd(s.satellite.stop)
	return nil
}

// askSatellite asks as a member of the organization, by a session token that Clerk makes now.
func (s *stage) askSatellite(ctx context.Context, clerkOrgID, path string) (status int, said string, err error) {
	token, err := s.clerk.MintToken(clerktest.TokenRequest{Organization: clerkOrgID, AuthorizedParty: demoParty})
	if err != nil {
		return 0, "", err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.satellite.url+path, nil)
	if err != nil {
		return 0, "", err
	}
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := s.reader.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	return response.StatusCode, string(body), err
}

// decide has another application decide by a token: the organization whose insurance has run out is refused, renews it, and
// is let in with the next token.
func (s *story) decide(ctx context.Context) error {
	org := s.organizations[0]
	s.say("A member of %s asks another application for work for the insured …", org.Name)
	status, said, err := s.askSatellite(ctx, *org.ClerkOrgID, insuredWork)
	if err != nil {
		return err
	}
	if status != http.StatusForbidden {
		return fmt.Errorf("the satellite answered %d to the uninsured, not 403: %s", status, said)
	}
	s.say("  refused, 403: %s", detailOf(said))
	answered, err := s.renewInsurance(ctx, org.ID)
	if err != nil {
		return err
	}
	if err := s.untilInsured(ctx, *org.ClerkOrgID, true); err != nil {
		return err
	}
	if status, said, err = s.askSatellite(ctx, *org.ClerkOrgID, insuredWork); err != nil {
		return err
	}
	took := time.Since(answered)
	if status != http.StatusOK {
		return fmt.Errorf("the satellite answered %d to the insured, not 200: %s", status, said)
	}
	s.say("  the insurance is renewed, and with the next token it is let in, 200")
	s.say("  %s from the API's answer to the satellite's; a browser has its next token within a minute",
		took.Round(100*time.Microsecond))
	return nil
}

// renewInsurance returns when the API had answered.
func (s *story) renewInsurance(ctx context.Context, id string) (time.Time, error) {
	policies := map[string]any{"insurance_policies": []scoring.InsurancePolicy{
		{Type: scoring.PublicLiability, CoverageAmount: scoring.Dollars(5_000_000), ExpiryDate: time.Now().AddDate(1, 0, 0)},
	}}
	var now apiOrganization
	if err := s.api.do(ctx, http.MethodPut, id, "/facts", policies, &now); err != nil {
		return time.Time{}, err
	}
	if !now.InsuranceValid {
		return time.Time{}, errors.New("the renewed insurance is not valid")
	}
	return time.Now(), nil
}

// detailOf is the sentence of a problem+json.
func detailOf(problem string) string {
	var said struct {
		Detail string `json:"detail"`
	}
	if json.Unmarshal([]byte(problem), &said) != nil || said.Detail == "" {
		return problem
	}
	return said.Detail
}

// asking is for a person to be the member of an organization.
const asking = `
Ask the satellite as a member of an organization, by a token of a minute:

  token=$(curl -s %s/_control/tokens \
    -d '{"organization":"%s","authorized_party":"%s"}' | cut -d'"' -f4)
  curl -i -H "Authorization: Bearer $token" \
    %s%s`

// sayHowToAsk takes the organization that decide is about.
func (s *stage) sayHowToAsk(clerkOrgID string) {
	s.say(asking, s.clerk.URL(), clerkOrgID, demoParty, s.satellite.url, insuredWork)
}
