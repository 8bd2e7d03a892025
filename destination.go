package claimsync

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/claimsync/claimsync/clerk"
	"github.com/claimsync/claimsync/db"
	"github.com/claimsync/claimsync/db/dbsqlc"
	"github.com/claimsync/claimsync/outbox"
)

// organizationDestination makes the metadata of a Clerk organization equal to what the database says of the
// organization that is linked to it.
type organizationDestination struct {
	pool  *pgxpool.Pool
	clerk *clerk.Client
}

// Deliver pushes the current claims of the Clerk organization key. If no organization is linked to it (any more), its
// claims are removed.
func (d *organizationDestination) Deliver(ctx context.Context, key string, version int64) (outbox.Receipt, error) {
	metadata, organization, err := wantedOf(ctx, d.pool, key, version)
	if err != nil {
		return outbox.Receipt{}, err
	}
	answer, err := d.clerk.PushMetadata(ctx, key, metadata)
	receipt := receiptOf(answer, organization)
	if organization == "" && answer.Status == http.StatusNotFound {
		return receipt, nil // what is gone has no claims
	}
	if err == nil {
		receipt.Applied = metadata.Public()
	}
	return receipt, failureFrom(err, receipt)
}

// Verify reads back what Clerk has.
func (d *organizationDestination) Verify(ctx context.Context, key string, version int64) (bool, outbox.Receipt, error) {
	metadata, organization, err := wantedOf(ctx, d.pool, key, version)
	if err != nil {
		return false, outbox.Receipt{}, err
	}
	found, answer, err := d.clerk.Organization(ctx, key)
	receipt := receiptOf(answer, organization)
	if organization == "" && answer.Status == http.StatusNotFound {
		return true, receipt, nil
	}
	return found.Confirms(metadata), receipt, failureFrom(err, receipt)
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

// wantedOf is what Clerk is to have of the organization that is linked to key now, and which that is. If none is, nothing.
// Outside of a transaction, now is when it is called.
func wantedOf(
	ctx context.Context, conn db.Querier, key string, version int64,
) (metadata clerk.Metadata, organization string, err error) {
	claims, err := dbsqlc.New().OrganizationClaims(ctx, conn, key)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return clerk.Metadata{Version: version}, "", nil
	case err != nil:
		return clerk.Metadata{}, "", fmt.Errorf("reading the claims of %s: %w", key, err)
	}
	metadata = metadataOf(claims.CertificationTier, claims.ComplianceScore, claims.InsuranceValid)
	metadata.Version, metadata.AsOf = version, claims.AsOf
	return metadata, claims.ID, nil
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
