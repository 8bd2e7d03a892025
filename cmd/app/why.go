package main

import (
	"context"
	"encoding/json"
	"io"

	"github.com/claimsync/claimsync"
	"github.com/claimsync/claimsync/outbox"
	"github.com/claimsync/claimsync/scoring"
)

type whyCommand struct {
	databaseFlags
	rateFlags
	watchFlags
	JSON bool   `name:"json" help:"Print everything as JSON."`
	ID   string `arg:"" help:"The organization, by our id or Clerk's (org_…)."`
}

func (*whyCommand) Help() string {
	return `Says of one organization whether Clerk has its latest state, if not why, and what it waits for; then its values
in Postgres and as Clerk confirmed them last, its score with its parts, what lowers it, and what became of the last
ten deliveries. When its own budget admits the next push depends on the rate limits: give
those that "app serve" has, if they are not the defaults.`
}

func (c *whyCommand) Run(ctx context.Context, a *app) error {
	if err := c.rateFlags.check(); err != nil {
		return err
	}
	t, err := c.openRatedTool(ctx, a.logger, c.rateFlags)
	if err != nil {
		return err
	}
	defer t.close()
	return c.look(ctx, a, c.JSON, func(ctx context.Context, w io.Writer) error {
		explanation, err := t.sync.Explain(ctx, t.river, c.ID)
		if err != nil {
			return err
		}
		if c.JSON {
			return json.NewEncoder(w).Encode(whyJSONOf(explanation))
		}
		return printWhy(w, explanation)
	})
}

// whyJSON is an explanation for programs. What is null does not apply.
type whyJSON struct {
	ID                *string            `json:"id"`
	Name              *string            `json:"name"`
	ClerkOrgID        *string            `json:"clerk_org_id"`
	CertificationTier *string            `json:"certification_tier"`
	ComplianceScore   *int               `json:"compliance_score"`
	InsuranceValid    *bool              `json:"insurance_valid"`
	CalculatedAt      *scoring.Timestamp `json:"calculated_at"`
	RecalculateAt     *scoring.Timestamp `json:"recalculate_at"` // when time alone changes it; null: never

	Breakdown       *scoring.Breakdown       `json:"breakdown"`
	Issues          []scoring.Issue          `json:"issues"`
	TierEligibility *scoring.TierEligibility `json:"tier_eligibility"`

	State       outbox.State         `json:"state"`
	WaitingFor  claimsync.WaitingFor `json:"waiting_for"`
	Until       *scoring.Timestamp   `json:"until"`
	Explanation []string             `json:"explanation"` // the same in words

	// The first of foreign writers' changes that are not calculated yet; null with waiting_for "calculation": there may be one.
	ForeignChangeSince *scoring.Timestamp `json:"foreign_change_since"`

	DesiredVersion int64              `json:"desired_version"`
	SyncedVersion  int64              `json:"synced_version"`
	DirtySince     *scoring.Timestamp `json:"dirty_since"`
	SyncedAt       *scoring.Timestamp `json:"synced_at"`
	Failures       int                `json:"failures"`
	LastError      *string            `json:"last_error"`
	ParkedAt       *scoring.Timestamp `json:"parked_at"`
	ParkedReason   *string            `json:"parked_reason"`
	LeasedAt       *scoring.Timestamp `json:"leased_at"`
	LeaseEnds      *scoring.Timestamp `json:"lease_ends"`
	NotBefore      *scoring.Timestamp `json:"not_before"`
	PacedUntil     *scoring.Timestamp `json:"paced_until"`
	DoubtedAt      *scoring.Timestamp `json:"doubted_at"`
	VerifyAt       *scoring.Timestamp `json:"verify_at"`
	Contested      bool               `json:"contested"`
	Applied        json.RawMessage    `json:"applied"` // the claims that Clerk confirmed last

	Job        *jobJSON       `json:"job"`
	Gate       gateJSON       `json:"gate"`
	Deliveries []deliveryJSON `json:"deliveries"` // the last ten, newest first
}

type jobJSON struct {
	ID          int64             `json:"id"`
	State       string            `json:"state"`
	Attempt     int               `json:"attempt"`
	ScheduledAt scoring.Timestamp `json:"scheduled_at"`
}

type deliveryJSON struct {
	FinishedAt      scoring.Timestamp `json:"finished_at"`
	Version         int64             `json:"version"`
	Outcome         string            `json:"outcome"`
	Status          *int16            `json:"status"`
	DurationSeconds float64           `json:"duration_seconds"`
	TraceID         *string           `json:"trace_id"`
	Error           *string           `json:"error"`
	JobID           *int64            `json:"job_id"`
}

func whyJSONOf(e *claimsync.Explanation) whyJSON {
	row := &e.Row
	j := whyJSON{
		State: e.State, WaitingFor: e.WaitingFor, Until: timestamp(e.Until), Explanation: e.InWords(),
		DesiredVersion: row.DesiredVersion, SyncedVersion: row.SyncedVersion,
		DirtySince: timestamp(row.DirtySince), SyncedAt: timestamp(row.SyncedAt),
		Failures: row.Failures, LastError: row.LastError,
		ParkedAt: timestamp(row.ParkedAt), ParkedReason: row.ParkedReason,
		LeasedAt: timestamp(row.LeasedAt), LeaseEnds: timestamp(row.LeaseEnds),
		NotBefore: timestamp(row.NotBefore), PacedUntil: timestamp(row.PacedUntil),
		DoubtedAt: timestamp(row.DoubtedAt), VerifyAt: timestamp(row.VerifyAt),
		Contested: e.Contested, ForeignChangeSince: timestamp(e.Change.Since),
		Applied: row.Applied,
		Gate:    gateJSONOf(e.Gate), Deliveries: deliveriesJSON(e.Deliveries),
	}
	if e.ClerkOrgID != "" {
		j.ClerkOrgID = &e.ClerkOrgID
	}
	j.describe(e.Organization)
	if e.Result != nil {
		j.Breakdown, j.Issues, j.TierEligibility = &e.Result.Breakdown, e.Result.Issues, &e.Result.TierEligibility
	}
	if e.Job != nil {
		j.Job = &jobJSON{e.Job.ID, string(e.Job.State), e.Job.Attempt, scoring.Timestamp(e.Job.ScheduledAt)}
	}
	return j
}

func deliveriesJSON(deliveries []outbox.Delivery) []deliveryJSON {
	said := make([]deliveryJSON, len(deliveries))
	for i, d := range deliveries {
		said[i] = deliveryJSON{
			scoring.Timestamp(d.FinishedAt), d.Version, d.Outcome, d.Status, d.Duration.Seconds(), d.TraceID, d.Error, d.JobID,
		}
	}
	return said
}

// describe adds the organization's own values; nil: there is none.
func (j *whyJSON) describe(org *scoring.Organization) {
	if org == nil {
		return
	}
	j.ID, j.Name, j.CertificationTier = &org.ID, &org.Name, new(org.CertificationTier.String())
	if org.Score != nil {
		j.ComplianceScore, j.InsuranceValid = &org.Score.Overall, &org.Score.InsuranceValid
		j.CalculatedAt = timestamp(&org.Score.CalculatedAt)
		if due := org.Score.RecalculateAt; !due.IsZero() {
			j.RecalculateAt = timestamp(&due)
		}
	}
}
