package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/claimsync/claimsync/internal/sample"
	"github.com/claimsync/claimsync/scoring"
)

// templates is how many different organizations a population is made of; the others are copies of them.
const templates = 1000

// factColumns are the lists of facts, without their own keys and the organization's.
var factColumns = map[string]string{
	"documents":              "iso_element, status, deleted",
	"compliance_assessments": "iso_element, status, score",
	"insurance_policies":     "policy_type, coverage_amount, expiry_date",
	"organization_members":   "role, lbp_number, lbp_verified, lbp_status, lbp_expiry",
	"audits":                 "completed_at, rating",
	"capa_records":           "status",
}

// populate makes many organizations with some 45 facts each, in step with them: the first ones are imported, the others
// copied from those, which takes seconds instead of minutes. It is to be a multiple of templates. Only linked ones can be
// marked; Clerk knows none of them.
func (f *fleet) populate(ctx context.Context, organizations int, linked bool) error {
	given := slices.Collect(sample.Organizations(1, templates, time.Now()))
	for i := range given {
		if !linked {
			given[i].ClerkOrgID = nil
		}
	}
	if err := f.importAll(ctx, given, time.Time{}); err != nil {
		return err
	}
	for _, org := range given {
		f.templates = append(f.templates, org.ID)
	}
	return f.grow(ctx, 1, organizations/templates)
}

// importAll imports organizations, with their scores as of then; as of now for the zero time.
func (f *fleet) importAll(ctx context.Context, given []scoring.OrganizationFacts, then time.Time) error {
	for batch := range slices.Chunk(given, 500) {
		err := pgx.BeginFunc(ctx, f.pool, func(tx pgx.Tx) error {
			_, err := f.store.ImportTx(ctx, tx, batch, then)
			return err
		})
		if err != nil {
			return fmt.Errorf("importing %d organizations: %w", len(batch), err)
		}
	}
	return nil
}

// grow makes copies number from up to, without to, of each organization that was imported. That a fact has an organization
// is not checked: it is as right as in the original.
func (f *fleet) grow(ctx context.Context, from, to int) error {
	const copies = ` FROM generate_series($1::int, $2::int - 1) AS i, `
	statements := []string{`INSERT INTO organizations
		SELECT (jsonb_populate_record(o, jsonb_build_object('id', o.id || '~' || i, 'clerk_org_id', o.clerk_org_id || 'x' || i))).*` +
		copies + `organizations AS o WHERE o.id = ANY($3)`}
	for table, columns := range factColumns {
		statements = append(statements, fmt.Sprintf(`INSERT INTO %s (organization_id, %s) SELECT organization_id || '~' || i, %s`+
			copies+`%s WHERE organization_id = ANY($3)`, table, columns, columns, table))
	}
	err := pgx.BeginFunc(ctx, f.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SET LOCAL session_replication_role = replica`); err != nil {
			return err
		}
		for _, statement := range statements {
			if _, err := tx.Exec(ctx, statement, from, to, f.templates); err != nil {
				return fmt.Errorf("%s: %w", oneLine(statement), err)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return f.forgetMarks(ctx)
}

// forgetMarks makes Clerk seem to be in step with all that is linked, as if it had been pushed, and the tables as they
// are after a while.
func (f *fleet) forgetMarks(ctx context.Context) error {
	for _, statement := range []string{
		`DELETE FROM river.river_job`,
		`INSERT INTO outbox AS o (topic, key, synced_version, synced_at)
			SELECT 'clerk_organization', clerk_org_id, 1, clock_timestamp() FROM organizations WHERE clerk_org_id IS NOT NULL
			ON CONFLICT (topic, key) DO UPDATE SET synced_version = o.desired_version, synced_at = clock_timestamp(),
				dirty_since = NULL, redirtied_at = NULL, job_id = NULL`,
		`VACUUM ANALYZE`,
	} {
		if err := f.exec(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

// resetMarks undoes what a turn of changes has left in the tables, which are then as they are between two checkpoints.
func (f *fleet) resetMarks(ctx context.Context) error {
	for _, statement := range []string{
		`TRUNCATE river.river_job`,
		`UPDATE outbox SET synced_version = desired_version, dirty_since = NULL, redirtied_at = NULL, marked_priority = NULL,
			job_id = NULL WHERE dirty_since IS NOT NULL`,
		`VACUUM outbox, organizations`,
	} {
		if err := f.exec(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}
