package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// apiClient calls the API as another application would.
type apiClient struct {
	http  *http.Client
	base  string
	token string
}

// apiOrganization is what the demo needs of an organization.
type apiOrganization struct {
	ID              string  `json:"id"`
	Name            string  `json:"name"`
	ClerkOrgID      *string `json:"clerk_org_id"`
	Tier            string  `json:"certification_tier"`
	Score           int     `json:"compliance_score"`
	InsuranceValid  bool    `json:"insurance_valid"`
	TierEligibility struct {
		NextTier *string `json:"next_tier"`
		Eligible bool    `json:"eligible_for_upgrade"`
	} `json:"tier_eligibility"`
}

func newAPIClient(url, token string) *apiClient {
	client := &http.Client{Timeout: 15 * time.Second, Transport: http.DefaultTransport.(*http.Transport).Clone()}
	return &apiClient{http: client, base: url + "/v1/organizations/", token: token}
}

func (c *apiClient) close() error {
	c.http.CloseIdleConnections()
	return nil
}

func (c *apiClient) organization(ctx context.Context, id string) (org apiOrganization, err error) {
	return org, c.do(ctx, http.MethodGet, id, "", nil, &org)
}

// do makes a request about an organization and decodes the answer into into, unless that is nil. Any status but 2xx is
// an error.
func (c *apiClient) do(ctx context.Context, method, id, suffix string, body, into any) error {
	var content io.Reader
	if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			return err
		}
		content = bytes.NewReader(encoded)
	}
	request, err := http.NewRequestWithContext(ctx, method, c.base+url.PathEscape(id)+suffix, content)
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+c.token)
	request.Header.Set("Content-Type", "application/json")
	response, err := c.http.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, request.URL.Path, err)
	}
	if response.StatusCode/100 != 2 {
		return fmt.Errorf("%s %s: %s: %s", method, request.URL.Path, response.Status, answer)
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(answer, into)
}
