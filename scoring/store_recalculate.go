package scoring

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/claimsync/claimsync/db/dbsqlc"
)

// RecalculateTx calculates the score of an organization from its facts at now, stores it, and marks the organization
// for its destination if one of the values that go there differs from before. Everything happens in tx. The zero now
// means the database's clock. Returns ErrNotFound for an unknown id.
//
// It locks the organization's row until tx ends. Call it after changing facts, in the same transaction.
func (s *Store) RecalculateTx(ctx context.Context, tx pgx.Tx, id string, now time.Time) (Organization, Result, error) {
	r, clock, err := s.lock(ctx, tx, id)
	if err != nil {
		return Organization{}, Result{}, err
	}
	if err := s.save(ctx, tx, UrgencyLive, calculationTime(now, clock), r); err != nil {
		return Organization{}, Result{}, err
	}
	return r.after, r.result, nil
}

// RecalculateManyTx is RecalculateTx for several organizations at once, in the same few round trips, with what differs
// announced at urgency. Ids that do not exist (any more) are left out. Returns the ids that were calculated, and how many of them have a new score.
func (s *Store) RecalculateManyTx(
	ctx context.Context, tx pgx.Tx, urgency Urgency, ids []string, now time.Time,
) (calculated []string, changed int, err error) {
	revisions, clock, err := s.load(ctx, tx, dbsqlc.OrganizationLock, ids)
	if err != nil {
		return nil, 0, err
	}
	if err := s.save(ctx, tx, urgency, calculationTime(now, clock), revisions...); err != nil {
		return nil, 0, err
	}
	for _, r := range revisions {
		calculated = append(calculated, r.after.ID)
		if r.scoreChanged() {
			changed++
		}
	}
	return calculated, changed, nil
}

// calculationTime is now in the resolution of the database, so that a calculation repeated from calculated_at is the same.
func calculationTime(now, clock time.Time) time.Time {
	if now.IsZero() {
		now = clock
	}
	return now.UTC().Truncate(time.Microsecond)
}

// save calculates the revisions' scores, stores them, and marks what has to be pushed. The rows must be locked.
func (s *Store) save(
	ctx context.Context, tx pgx.Tx, urgency Urgency, now time.Time, revisions ...*revision,
) error {
	if len(revisions) == 0 {
		return nil
	}
	if err := s.saveScores(ctx, tx, now, revisions); err != nil {
		return err
	}
	return s.mark(ctx, tx, urgency, revisions, announced{})
}

// saveScores is save without the marks.
func (s *Store) saveScores(ctx context.Context, tx pgx.Tx, now time.Time, revisions []*revision) error {
	scores := dbsqlc.OrganizationSaveScoresParams{CalculatedAt: &now}
	for _, r := range revisions {
		r.result = Calculate(now, r.after.CertificationTier, r.facts)
		r.after.Score = scoreOf(now, &r.result)
		appendScore(&scores, r.after.ID, r.after.Score)
	}
	if err := s.queries.OrganizationSaveScores(ctx, tx, scores); err != nil {
		return fmt.Errorf("saving the scores of %s: %w", describe(scores.Ids), err)
	}
	return nil
}

func appendScore(scores *dbsqlc.OrganizationSaveScoresParams, id string, score *Score) {
	scores.Ids = append(scores.Ids, id)
	scores.ComplianceScores = append(scores.ComplianceScores, int16(score.Overall))
	scores.DocumentationScores = append(scores.DocumentationScores, int16(score.Documentation))
	scores.InsuranceScores = append(scores.InsuranceScores, int16(score.Insurance))
	scores.PersonnelScores = append(scores.PersonnelScores, int16(score.Personnel))
	scores.AuditScores = append(scores.AuditScores, int16(score.Audit))
	scores.InsuranceValids = append(scores.InsuranceValids, score.InsuranceValid)
	scores.RecalculateAts = append(scores.RecalculateAts, score.RecalculateAt)
	scores.InsuredUntils = append(scores.InsuredUntils, score.InsuredUntil)
}

// announced is what a marker is told of: Clerk organizations, and organizations of ours.
type announced struct{ clerkOrgIDs, ids []string }

// mark announces the Clerk organizations whose claims the revisions change. One that was unlinked is announced too: its
// claims are to go. All marks of a transaction are one, so that their locks are taken in order; hence what else there is.
func (s *Store) mark(ctx context.Context, tx pgx.Tx, urgency Urgency, revisions []*revision, also announced) error {
	clerkOrgIDs, ids := also.clerkOrgIDs, also.ids
	for _, r := range revisions {
		clerkOrgIDs = append(clerkOrgIDs, r.outdated()...)
		if r.claimsChanged() {
			ids = append(ids, r.after.ID)
		}
	}
	s.warnUnlinked(ctx, revisions)
	if len(clerkOrgIDs) > 0 {
		if err := s.marker.MarkTx(ctx, tx, urgency, clerkOrgIDs...); err != nil {
			return err
		}
	}
	if len(ids) == 0 {
		return nil
	}
	return s.marker.ChangedTx(ctx, tx, urgency, ids...)
}

// outdated is the Clerk organizations that do not say what they should once the revision is committed.
func (r *revision) outdated() (clerkOrgIDs []string) {
	before, after := r.before.ClerkOrgID, r.after.ClerkOrgID
	relinked := !equal(before, after)
	if relinked && before != nil {
		clerkOrgIDs = append(clerkOrgIDs, *before)
	}
	if after != nil && (relinked || r.claimsChanged()) {
		clerkOrgIDs = append(clerkOrgIDs, *after)
	}
	return clerkOrgIDs
}

// claimsChanged reports whether one of the values in the token changes.
func (r *revision) claimsChanged() bool {
	before, after := r.before.Score, r.after.Score
	return r.before.CertificationTier != r.after.CertificationTier ||
		before == nil || before.Overall != after.Overall || before.InsuranceValid != after.InsuranceValid
}

// scoreChanged reports whether the score or a part of it changes.
func (r *revision) scoreChanged() bool {
	if r.before.Score == nil {
		return true
	}
	before, after := *r.before.Score, *r.after.Score
	before.CalculatedAt, before.RecalculateAt, before.InsuredUntil = after.CalculatedAt, after.RecalculateAt, after.InsuredUntil
	return before != after
}

// warnUnlinked says once of each organization that it cannot be synced: when it is first calculated without a Clerk
// id, or loses it.
func (s *Store) warnUnlinked(ctx context.Context, revisions []*revision) {
	var ids []string
	for _, r := range revisions {
		if r.after.ClerkOrgID == nil && (r.before.Score == nil || r.before.ClerkOrgID != nil) {
			ids = append(ids, r.after.ID)
		}
	}
	switch slices.Sort(ids); len(ids) {
	case 0:
	case 1:
		s.logger.WarnContext(ctx, "Organization has no Clerk id: not synced until it gets one", "organization_id", ids[0])
	default:
		s.logger.WarnContext(ctx, "Organizations have no Clerk id: not synced until they get one", "organizations", len(ids), "organization_ids", ids)
	}
}
