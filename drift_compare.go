package claimsync

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/claimsync/claimsync/clerk"
	"github.com/claimsync/claimsync/db/dbsqlc"
)

const (
	// driftBatch is how many organizations one query compares or walks over, where Clerk does not set the pace.
	driftBatch = 1000
	// otherInstanceLeast is how many organizations have to be missing at Clerk until that is not their own matter, if
	// more are missing than there.
	otherInstanceLeast = 10
)

// compareRows reads what Postgres says of the keys. askedAt is when Clerk was asked, and this comes after its answer: what
// neither changed nor was pushed in between is what Clerk should have said.
func (c *driftCheck) compareRows(
	ctx context.Context, askedAt time.Time, keys []string,
) (map[string]dbsqlc.DriftCompareRow, error) {
	rows, err := c.queries.DriftCompare(ctx, c.sync.jobs.Pool, dbsqlc.DriftCompareParams{
		Topic: Topic, AskedAt: askedAt, Keys: keys,
	})
	if err != nil {
		return nil, fmt.Errorf("comparing %d organizations: %w", len(keys), err)
	}
	known := make(map[string]dbsqlc.DriftCompareRow, len(rows))
	for _, row := range rows {
		known[row.Key] = row
	}
	return known, nil
}

// comparePage compares a page of all organizations. What seems to be amiss is only noted, to be looked at again.
func (c *driftCheck) comparePage(ctx context.Context, page listing) error {
	var fresh []clerk.Organization
	var keys []string
	for _, organization := range page.organizations {
		if !c.listed[organization.ID] { // pages can overlap
			c.listed[organization.ID] = true
			fresh, keys = append(fresh, organization), append(keys, organization.ID)
		}
	}
	rows, err := c.compareRows(ctx, page.askedAt, keys)
	if err != nil {
		return err
	}
	for _, organization := range fresh {
		row, known := rows[organization.ID]
		if row.OrganizationID != nil {
			c.linked++
		}
		switch {
		case !known:
			c.unknown = append(c.unknown, organization.ID)
		case row.Pending:
			c.report.Pending++
		case organization.Agrees(rowMetadata(row)):
			c.inStep(row)
		default:
			c.differ = append(c.differ, organization.ID)
		}
	}
	c.report.Listed = len(c.listed)
	return nil
}

// rowMetadata is what Clerk should have; nothing, if no organization is linked.
func rowMetadata(row dbsqlc.DriftCompareRow) clerk.Metadata {
	if row.CertificationTier == nil {
		return clerk.Metadata{}
	}
	return metadataOf(*row.CertificationTier, row.ComplianceScore, row.InsuranceValid)
}

// inStep counts one of ours. One that was unlinked and has no claims any more is nobody's.
func (c *driftCheck) inStep(row dbsqlc.DriftCompareRow) {
	if row.OrganizationID != nil {
		c.report.InStep++
	}
}

// unlisted returns the linked organizations that Clerk did not list: missing there, or missed, because the pages moved when
// others were deleted.
func (c *driftCheck) unlisted(ctx context.Context) (unlisted []string, err error) {
	for after := ""; ; {
		batch, err := c.queries.DriftLinkedAfter(ctx, c.sync.jobs.Pool, dbsqlc.DriftLinkedAfterParams{
			AfterClerkOrgID: after, MaxRows: driftBatch,
		})
		if err != nil {
			return nil, fmt.Errorf("walking over the linked organizations: %w", err)
		}
		for _, key := range batch {
			if !c.listed[key] {
				unlisted = append(unlisted, key)
			}
		}
		if len(batch) < driftBatch {
			return unlisted, nil
		}
		after = batch[len(batch)-1]
	}
}

// confirmUnlisted looks for what was not listed. When that is most of ours, the first hundred decide whether we are asking
// the right instance.
func (c *driftCheck) confirmUnlisted(ctx context.Context, unlisted []string) error {
	suspicious := len(unlisted) > c.linked && len(unlisted) >= otherInstanceLeast
	looked := 0
	for batch := range slices.Chunk(unlisted, clerk.MaxListIDs) {
		if err := c.confirmBatch(ctx, batch); err != nil {
			return err
		}
		looked += len(batch)
		if suspicious && 2*c.missing > looked {
			return fmt.Errorf("of %d organizations that are linked, only %d are at Clerk, whose list has %d: %w",
				c.linked+len(unlisted), c.linked, len(c.listed), ErrOtherInstance)
		}
	}
	return nil
}

// confirm looks a second time at what seemed to differ.
func (c *driftCheck) confirm(ctx context.Context, keys []string) error {
	for batch := range slices.Chunk(keys, clerk.MaxListIDs) {
		if err := c.confirmBatch(ctx, batch); err != nil {
			return err
		}
	}
	return nil
}

// confirmBatch asks Clerk and Postgres anew, and calls drift what is left.
func (c *driftCheck) confirmBatch(ctx context.Context, keys []string) error {
	answer, err := c.list(ctx, clerk.ListParams{IDs: keys})
	if err != nil {
		return err
	}
	rows, err := c.compareRows(ctx, answer.askedAt, keys)
	if err != nil {
		return err
	}
	there := make(map[string]clerk.Organization, len(answer.organizations))
	for _, organization := range answer.organizations {
		there[organization.ID] = organization
	}
	for _, key := range keys {
		row, known := rows[key]
		if !known { // unlinked meanwhile
			continue
		}
		organization, found := there[key]
		c.judge(row, organization, found)
	}
	return nil
}

// judge decides about an organization that we know. found tells whether Clerk has it.
func (c *driftCheck) judge(row dbsqlc.DriftCompareRow, organization clerk.Organization, found bool) {
	drift := Drift{ClerkOrgID: row.Key, unmarked: !row.Marked}
	if row.OrganizationID != nil {
		drift.OrganizationID = *row.OrganizationID
	}
	switch {
	case !found && row.OrganizationID == nil: // neither here nor there
		return
	case !found: // whatever is on its way to it
		c.missing++
		drift.Kinds = []DriftKind{DriftMissing}
	case row.Pending:
		c.report.Pending++
		return
	default:
		drift.Differences = organization.Differences(rowMetadata(row))
		if len(drift.Differences) == 0 {
			c.inStep(row)
			return
		}
	}
	c.report.add(drift)
}

// confirmUnknown looks a second time for what we seemed to know nothing of: it may have been linked meanwhile.
func (c *driftCheck) confirmUnknown(ctx context.Context) error {
	if c.options.KnownOnly {
		return nil
	}
	for batch := range slices.Chunk(c.unknown, driftBatch) {
		rows, err := c.compareRows(ctx, c.report.StartedAt, batch)
		if err != nil {
			return err
		}
		for _, key := range batch {
			if _, known := rows[key]; !known {
				c.report.add(Drift{ClerkOrgID: key, Kinds: []DriftKind{DriftUnknown}})
			}
		}
	}
	return nil
}
