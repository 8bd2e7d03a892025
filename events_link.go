package claimsync

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/claimsync/claimsync/clerk"
	"github.com/claimsync/claimsync/db/dbsqlc"
	"github.com/claimsync/claimsync/outbox"
	"github.com/claimsync/claimsync/scoring"
)

// DefaultLinkKey is where the private metadata of a Clerk organization names one of ours.
const DefaultLinkKey = "external_id"

// NoLink, as a link key, is none: events link nothing.
const NoLink = "-"

// linkable reports whether an event may link Clerk's organization: it is not linked, nor was it ever before, since
// whoever unlinked it meant it, and Clerk has not deleted it. An update may do so too, for the creation may be lost or
// come later.
func linkable(ground dbsqlc.ClerkEventGroundRow) bool {
	return ground.OrganizationID == nil && !ground.Known && !ground.Deleted
}

// eventLink returns the organization of ours that the event's names, or "". Clerk does not promise that an event shows
// private metadata: then the organization is read, but only if it could be linked. What is found out here may be out of
// date by the time of the transaction, but only so that there is nothing to link any more.
func (s *Sync) eventLink(ctx context.Context, event clerk.Event) (string, error) {
	if s.linkKey == NoLink || event.Type == clerk.OrganizationDeleted {
		return "", nil
	}
	ground, err := s.eventGround(ctx, s.jobs.Pool, event)
	if err != nil || ground.Handled || !ground.AnyUnlinked || !linkable(ground) {
		return "", err
	}
	organization := event.Organization
	if !organization.TellsPrivateMetadata() {
		priority := outbox.PriorityLive // somebody waits for it
		if event.Type == clerk.OrganizationUpdated {
			priority = outbox.PriorityRoutine // most of them are not for us
		}
		if organization, err = s.readOrganization(ctx, event.Organization.ID, priority); err != nil {
			return "", err
		}
	}
	return linkIn(organization, s.linkKey), nil
}

// linkIn returns what the private metadata name, if that can be an organization: Postgres would not take anything else.
func linkIn(organization clerk.Organization, key string) string {
	id := organization.PrivateString(key).V
	if len(scoring.ValidateID("id", id)) > 0 || len(scoring.ValidateClerkOrgID("id", organization.ID)) > 0 {
		return ""
	}
	return id
}

// linkTx links the organization that is named, if it is not linked yet.
func (h *eventHandler) linkTx(ctx context.Context, tx pgx.Tx) (EventOutcome, error) {
	ours, err := h.queries.OrganizationLock(ctx, tx, []string{h.link})
	switch {
	case err != nil:
		return "", fmt.Errorf("locking organization %s: %w", h.link, err)
	case len(ours) == 0:
		return EventUnchanged, nil
	case ours[0].ClerkOrgID != nil:
		return EventConflict, nil
	}
	// In a savepoint: somebody else may be linking another one to it right now, which only the constraint sees.
	err = pgx.BeginFunc(ctx, tx, func(tx pgx.Tx) error {
		return h.relinkTx(ctx, tx, h.link, &h.key)
	})
	if errors.Is(err, scoring.ErrClerkOrgIDTaken) {
		return EventConflict, nil
	}
	return EventLinked, err
}

// unlinkTx unlinks ours from what Clerk has deleted; id is ours, nil for none. That marks the key, whose push then
// finds that nothing is left to be cleared.
func (h *eventHandler) unlinkTx(ctx context.Context, tx pgx.Tx, id *string) (EventOutcome, error) {
	if id == nil {
		return EventUnchanged, nil
	}
	ours, err := h.queries.OrganizationLock(ctx, tx, []string{*id})
	switch {
	case err != nil:
		return "", fmt.Errorf("locking organization %s: %w", *id, err)
	case len(ours) == 0 || ours[0].ClerkOrgID == nil || *ours[0].ClerkOrgID != h.key: // changed before we had the lock
		return EventUnchanged, nil
	}
	return EventUnlinked, h.relinkTx(ctx, tx, *id, nil)
}

// relinkTx links the organization id, which the transaction has locked, to a Clerk organization; nil: to none.
func (h *eventHandler) relinkTx(ctx context.Context, tx pgx.Tx, id string, key *string) error {
	_, _, err := h.Store(h.waker).UpdateTx(ctx, tx, id, scoring.OrganizationUpdate{ClerkOrgID: &key}, time.Time{})
	return err
}
