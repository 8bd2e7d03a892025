package claimsync

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/claimsync/claimsync/clerk"
	"github.com/claimsync/claimsync/db/dbsqlc"
	"github.com/claimsync/claimsync/outbox"
)

// organizationDestination makes the metadata of a Clerk organization equal to what the database says of the
// organization that is linked to it.
type organizationDestination struct {
	pool    *pgxpool.Pool
	clerk   *clerk.Client
	queries dbsqlc.Queries
}

// Deliver pushes the current claims of the Clerk organization key. If no organization is linked to it (any more), its
// claims are removed.
func (d *organizationDestination) Deliver(ctx context.Context, key string, version int64) (outbox.Receipt, error) {
	metadata := clerk.Metadata{Version: version}
	claims, err := d.queries.OrganizationClaims(ctx, d.pool, key)
	linked := err == nil
	switch {
	case linked:
		metadata.CertificationTier = new(string(claims.CertificationTier))
		metadata.InsuranceValid = claims.InsuranceValid
		if claims.ComplianceScore != nil {
			metadata.ComplianceScore = new(int(*claims.ComplianceScore))
		}
	case !errors.Is(err, pgx.ErrNoRows):
		return outbox.Receipt{}, fmt.Errorf("reading the claims of %s: %w", key, err)
	}

	receipt, err := d.clerk.PushMetadata(ctx, key, metadata)
	delivered := outbox.Receipt{Status: receipt.Status, TraceID: receipt.TraceID}
	var failure *clerk.Error
	switch {
	case err == nil:
		return delivered, nil
	case !linked && receipt.Status == http.StatusNotFound:
		return delivered, nil // what is gone has no claims
	case errors.As(err, &failure):
		return delivered, &outbox.Failure{
			Action: actionFor(failure.Action), RetryAfter: failure.RetryAfter, Receipt: delivered, Err: failure,
		}
	default:
		return delivered, err
	}
}

// actionFor translates between two packages that do not know each other.
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
