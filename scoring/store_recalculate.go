package scoring

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/claimsync/claimsync/db"
	"github.com/claimsync/claimsync/db/dbsqlc"
)

// RecalculateTx calculates the score of an organization from its facts at now, stores it, and marks the organization
// for its destination if one of the values that go there differs from before. Everything happens in tx. The zero now
// means the database's clock. Returns ErrNotFound for an unknown id.
//
// It locks the organization's row until tx ends. Call it after changing facts, in the same transaction.
func (s *Store) RecalculateTx(ctx context.Context, tx pgx.Tx, id string, now time.Time) (Organization, Result, error) {
	return s.reviseTx(ctx, tx, id, now, unchanged)
}

// Recalculate is RecalculateTx in a transaction of its own, of two round trips.
func (s *Store) Recalculate(ctx context.Context, pool *pgxpool.Pool, id string, now time.Time) (Organization, Result, error) {
	var loaded *loading
	var r *revision
	err := db.TransactInTwo(ctx, pool,
		func(read *pgx.Batch) { loaded = queueLoad(read, dbsqlc.OrganizationLock, []string{id}) },
		func(write *pgx.Batch) (err error) {
			r, err = s.queueRevision(ctx, write, loaded, now, unchanged)
			return err
		})
	switch {
	case errors.Is(err, ErrNotFound):
		return Organization{}, Result{}, err
	case err != nil:
		return Organization{}, Result{}, fmt.Errorf("recalculating organization %s: %w", id, translate(err))
	}
	return r.after, r.result, nil
}

// revising queues what changes of an organization, which is locked, before its score is calculated.
type revising func(batch *pgx.Batch, r *revision)

func unchanged(*pgx.Batch, *revision) {}

// reviseTx changes an organization and calculates its score, in two round trips.
func (s *Store) reviseTx(
	ctx context.Context, tx pgx.Tx, id string, now time.Time, change revising,
) (Organization, Result, error) {
	loaded, _, err := load(ctx, tx, dbsqlc.OrganizationLock, []string{id})
	if err != nil {
		return Organization{}, Result{}, err
	}
	write := &pgx.Batch{}
	r, err := s.queueRevision(ctx, write, loaded, now, change)
	if err == nil {
		err = send(ctx, tx, write, r)
	}
	if err != nil {
		return Organization{}, Result{}, err
	}
	return r.after, r.result, nil
}

// queueRevision queues the change of the organization that was loaded, its new score, and the marks. Returns ErrNotFound if
// it does not exist.
func (s *Store) queueRevision(
	ctx context.Context, batch *pgx.Batch, loaded *loading, now time.Time, change revising,
) (*revision, error) {
	revisions, err := loaded.revisions()
	if err != nil {
		return nil, err
	}
	if len(revisions) == 0 {
		return nil, fmt.Errorf("organization %s: %w", loaded.ids[0], ErrNotFound)
	}
	r := revisions[0]
	change(batch, r)
	return r, s.queueSave(ctx, batch, UrgencyLive, loaded.calculatedAt(now), r)
}

// RecalculateManyTx is RecalculateTx for several organizations at once, in the same few round trips, with what differs
// announced at urgency. Ids that do not exist (any more) are left out. Returns the ids that were calculated, and how many of them have a new score.
func (s *Store) RecalculateManyTx(
	ctx context.Context, tx pgx.Tx, urgency Urgency, ids []string, now time.Time,
) (calculated []string, changed int, err error) {
	loaded, revisions, err := load(ctx, tx, dbsqlc.OrganizationLock, ids)
	if err != nil {
		return nil, 0, err
	}
	batch := &pgx.Batch{}
	if err := s.queueSave(ctx, batch, urgency, loaded.calculatedAt(now), revisions...); err != nil {
		return nil, 0, err
	}
	if err := send(ctx, tx, batch, revisions...); err != nil {
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

// queueSave calculates the revisions' scores, and queues their storing and the marks of what has to be pushed. The rows must
// be locked.
func (s *Store) queueSave(
	ctx context.Context, batch *pgx.Batch, urgency Urgency, now time.Time, revisions ...*revision,
) error {
	queueScores(batch, now, revisions)
	return s.queueMarks(ctx, batch, urgency, revisions, Changed{})
}

// queueScores is queueSave without the marks.
func queueScores(batch *pgx.Batch, now time.Time, revisions []*revision) {
	if len(revisions) == 0 {
		return
	}
	var scores dbsqlc.OrganizationSaveScoresParams
	for _, r := range revisions {
		r.result = Calculate(now, r.after.CertificationTier, r.facts)
		r.after.Score = scoreOf(now, &r.result)
		appendScore(&scores, r.after.ID, r.after.Score)
	}
	batch.Queue(dbsqlc.OrganizationSaveScores, now, scores.Ids, scores.ComplianceScores, scores.DocumentationScores,
		scores.InsuranceScores, scores.PersonnelScores, scores.AuditScores, scores.InsuranceValids, scores.RecalculateAts,
		scores.InsuredUntils)
}

// send sends what was queued of the revisions.
func send(ctx context.Context, tx pgx.Tx, batch *pgx.Batch, revisions ...*revision) error {
	if batch.Len() == 0 {
		return nil
	}
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		ids := make([]string, len(revisions))
		for i, r := range revisions {
			ids[i] = r.after.ID
		}
		return fmt.Errorf("writing %s: %w", describe(ids), translate(err))
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

// queueMarks queues the marks of the Clerk organizations whose claims the revisions change. One that was unlinked is marked
// too: its claims are to go. All marks of a transaction are one, so that their locks are taken in order; hence what else
// there is.
func (s *Store) queueMarks(
	ctx context.Context, batch *pgx.Batch, urgency Urgency, revisions []*revision, changed Changed,
) error {
	for _, r := range revisions {
		changed.ClerkOrgIDs = append(changed.ClerkOrgIDs, r.outdated()...)
		if r.claimsChanged() {
			changed.IDs = append(changed.IDs, r.after.ID)
		}
	}
	s.warnUnlinked(ctx, revisions)
	return s.marker.QueueMarks(ctx, batch, urgency, changed)
}

// markTx marks what changes without a calculation.
func (s *Store) markTx(ctx context.Context, tx pgx.Tx, urgency Urgency, changed Changed) error {
	batch := &pgx.Batch{}
	if err := s.marker.QueueMarks(ctx, batch, urgency, changed); err != nil {
		return err
	}
	return send(ctx, tx, batch)
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
