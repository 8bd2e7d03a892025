package claimsync

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/claimsync/claimsync/clerk"
	"github.com/claimsync/claimsync/db"
	"github.com/claimsync/claimsync/db/dbsqlc"
	"github.com/claimsync/claimsync/internal/gather"
	"github.com/claimsync/claimsync/outbox"
)

// organizationDestination makes the metadata of a Clerk organization equal to what the database says of the
// organization that is linked to it.
type organizationDestination struct {
	clerk *clerk.Client
	reads *gather.Group[string, wanted] // by the id that the organization has at Clerk
}

func newOrganizationDestination(pool *pgxpool.Pool, client *clerk.Client) *organizationDestination {
	one := func(ctx context.Context, key string) (wanted, error) { return wantedOf(ctx, pool, key) }
	many := func(ctx context.Context, keys []string) ([]*wanted, error) { return wantedOfEach(ctx, pool, keys) }
	return &organizationDestination{clerk: client, reads: gather.New(many, one)}
}

// Deliver pushes the current claims of the Clerk organization key. If no organization is linked to it (any more), its
// claims are removed.
func (d *organizationDestination) Deliver(ctx context.Context, key string, version int64) (outbox.Receipt, error) {
	want, err := d.reads.Do(ctx, key)
	if err != nil {
		return outbox.Receipt{}, err
	}
	want.metadata.Version = version
	answer, err := d.clerk.PushMetadata(ctx, key, want.metadata)
	receipt := receiptOf(answer, want.organization)
	if want.organization == "" && answer.Status == http.StatusNotFound {
		return receipt, nil // what is gone has no claims
	}
	if err == nil {
		receipt.Applied = want.metadata.Public()
	}
	return receipt, failureFrom(err, receipt)
}

// Verify reads back what Clerk has.
func (d *organizationDestination) Verify(ctx context.Context, key string, version int64) (bool, outbox.Receipt, error) {
	want, err := d.reads.Do(ctx, key)
	if err != nil {
		return false, outbox.Receipt{}, err
	}
	want.metadata.Version = version
	found, answer, err := d.clerk.Organization(ctx, key)
	receipt := receiptOf(answer, want.organization)
	if want.organization == "" && answer.Status == http.StatusNotFound {
		return true, receipt, nil
	}
	return found.Confirms(want.metadata), receipt, failureFrom(err, receipt)
}

// receiptOf tells the log what a push is known by: to us the organization, if one is linked, and to Clerk the call.
func receiptOf(answer clerk.Receipt, organization string) outbox.Receipt {
	receipt := outbox.Receipt{Status: answer.Status, TraceID: answer.TraceID}
	if organization != "" {
		receipt.LogAttrs = append(receipt.LogAttrs, slog.String("organization_id", organization))
	}
	if answer.TraceID != "" {
		receipt.LogAttrs = append(receipt.LogAttrs, slog.String("clerk_trace_id", answer.TraceID))
	}
	return receipt
}

// wanted is what Clerk is to have of the organization that is linked to a key, and which that is. If none is, nothing.
type wanted struct {
	organization string
	metadata     clerk.Metadata
}

// wantedOf is what Clerk is to have of key now. Outside of a transaction, now is when it is called.
func wantedOf(ctx context.Context, conn db.Querier, key string) (wanted, error) {
	found, err := wantedOfEach(ctx, conn, []string{key})
	if err != nil {
		return wanted{}, err
	}
	return *found[0], nil
}

// wantedOfEach is wantedOf for each of the keys.
func wantedOfEach(ctx context.Context, conn db.Querier, keys []string) ([]*wanted, error) {
	rows, err := dbsqlc.New().OrganizationClaims(ctx, conn, keys)
	if err != nil {
		return nil, fmt.Errorf("reading the claims of %d organizations: %w", len(keys), err)
	}
	linked := make(map[string]wanted, len(rows))
	for _, row := range rows {
		metadata := metadataOf(row.CertificationTier, row.ComplianceScore, row.InsuranceValid)
		metadata.AsOf = row.AsOf
		linked[row.ClerkOrgID] = wanted{organization: row.ID, metadata: metadata}
	}
	all := make([]*wanted, len(keys))
	for i, key := range keys {
		all[i] = new(linked[key])
	}
	return all, nil
}

// metadataOf is what Clerk is to have of a linked organization. One that was never calculated has no score.
func metadataOf(tier dbsqlc.CertificationTier, score *int16, insured *bool) clerk.Metadata {
	metadata := clerk.Metadata{CertificationTier: new(string(tier)), InsuranceValid: insured}
	if score != nil {
		metadata.ComplianceScore = new(int(*score))
	}
	return metadata
}

// failureFrom translates between two packages that do not know each other.
func failureFrom(err error, receipt outbox.Receipt) error {
	var failed *clerk.Error
	if !errors.As(err, &failed) {
		return err
	}
	return &outbox.Failure{
		Action: actionFor(failed.Action), RetryAfter: failed.RetryAfter, InDoubt: failed.MaybeApplied,
		Receipt: receipt, Err: failed,
	}
}

func actionFor(action clerk.Action) outbox.Action {
	switch action {
	case clerk.Retry:
		return outbox.Retry
	case clerk.Wait:
		return outbox.Wait
	case clerk.Stop:
		return outbox.Stop
	case clerk.Missing:
		return outbox.Missing
	case clerk.Park:
		return outbox.Park
	case clerk.Ambiguous:
		return outbox.Ambiguous
	default: // clerk.Outage, and what a later version may add
		return outbox.Outage
	}
}
