package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// comparison is what Postgres and Clerk say of an organization.
type comparison struct {
	postgres apiOrganization
	clerk    clerkClaims
}

// clerkClaims are the claims as Clerk has them; nil where there are none.
type clerkClaims struct {
	Tier           *string `json:"certification_tier"`
	Score          *int    `json:"compliance_score"`
	InsuranceValid *bool   `json:"insurance_valid"`
}

func (c comparison) inStep() bool {
	return c.postgres.ClerkOrgID != nil && c.clerk.Tier != nil && c.clerk.Score != nil && c.clerk.InsuranceValid != nil &&
		*c.clerk.Tier == c.postgres.Tier && *c.clerk.Score == c.postgres.Score &&
		*c.clerk.InsuranceValid == c.postgres.InsuranceValid
}

func (s *stage) comparison(postgres apiOrganization) comparison {
	c := comparison{postgres: postgres}
	if postgres.ClerkOrgID == nil {
		return c
	}
	if at, found := s.clerk.Organization(*postgres.ClerkOrgID); found {
		// What is no claim of ours is none: the comparison then differs.
		_ = json.Unmarshal(at.PublicMetadata, &c.clerk)
	}
	return c
}

func (s *story) compare(ctx context.Context) ([]comparison, error) {
	comparisons := make([]comparison, len(s.organizations))
	for i, org := range s.organizations {
		postgres, err := s.api.organization(ctx, org.ID)
		if err != nil {
			return nil, err
		}
		comparisons[i] = s.comparison(postgres)
	}
	return comparisons, nil
}

// untilInStep waits until Clerk says of every linked organization what Postgres says now, and says how long that took
// from the start that is given.
func (s *story) untilInStep(ctx context.Context, start time.Time) error {
	comparisons, err := s.compare(ctx)
	if err != nil {
		return err
	}
	waiting, cancel := context.WithTimeout(ctx, demoPatience)
	defer cancel()
	for _, c := range comparisons {
		if c.postgres.ClerkOrgID == nil {
			continue
		}
		err := s.clerk.WaitFor(waiting, func() bool { return s.comparison(c.postgres).inStep() })
		if err != nil {
			return fmt.Errorf("waiting for Clerk to follow with %s (%s): %w", c.postgres.Name, c.postgres.ID, err)
		}
	}
	last := start
	for _, write := range s.clerk.Writes() {
		if write.Applied.After(last) {
			last = write.Applied
		}
	}
	s.say("  Clerk was in step %s later", last.Sub(start).Round(time.Millisecond))
	return nil
}

// callsForOthers counts what Clerk was asked about single organizations that are not linked.
func (s *story) callsForOthers() (calls int) {
	linked := map[string]bool{}
	for _, org := range s.organizations {
		if org.ClerkOrgID != nil {
			linked[*org.ClerkOrgID] = true
		}
	}
	for _, request := range s.clerk.Requests() {
		if request.Organization != "" && !linked[request.Organization] {
			calls++
		}
	}
	return calls
}

func (s *story) printTable(comparisons []comparison) error {
	table := tabwriter.NewWriter(s.app.stdout, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "ORGANIZATION\tSCORE\tPOSTGRES\tCLERK\t")
	for _, c := range comparisons {
		verdict := c.clerk.String()
		switch {
		case c.postgres.ClerkOrgID == nil:
			verdict = "skipped: no Clerk id"
		case !c.inStep():
			verdict += "  DIFFERENT"
		}
		postgres := clerkClaims{&c.postgres.Tier, &c.postgres.Score, &c.postgres.InsuranceValid}
		_, _ = fmt.Fprintf(table, "%s\t%3d → %3d\t%s\t%s\t\n", c.postgres.Name, s.before[c.postgres.ID].Score,
			c.postgres.Score, postgres, verdict)
	}
	return table.Flush()
}

func (c clerkClaims) String() string {
	tier, score, insurance := "no tier", "-", "insurance unknown"
	if c.Tier != nil {
		tier = strings.ToLower(*c.Tier)
	}
	if c.Score != nil {
		score = strconv.Itoa(*c.Score)
	}
	if c.InsuranceValid != nil {
		insurance = map[bool]string{true: "insured", false: "uninsured"}[*c.InsuranceValid]
	}
	return fmt.Sprintf("%-13s %3s %s", tier, score, insurance)
}
