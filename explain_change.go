package claimsync

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/claimsync/claimsync/db/dbsqlc"
)

// changesExplained is how far the queue of foreign writers' changes is looked through for one organization's: some 2 ms.
const changesExplained = 10_000

// QueuedChange is whether a foreign writer's change of an organization is still in the queue, see docs/foreign-writers.md.
type QueuedChange struct {
	Since *time.Time // when the first was made; nil: none was found
	// Unknown: none was found, and so many wait that not all were looked through.
	Unknown bool
}

// waits reports whether there is, or may be, one.
func (c QueuedChange) waits() bool { return c.Since != nil || c.Unknown }

// queuedTx looks for a change of the organization, or of its Clerk organization.
func queuedTx(ctx context.Context, tx pgx.Tx, e *Explanation) (QueuedChange, error) {
	query := dbsqlc.OrganizationChangeSinceParams{ClerkOrgID: e.ClerkOrgID, Most: changesExplained}
	if e.Organization != nil {
		query.ID = e.Organization.ID
	}
	found, err := dbsqlc.New().OrganizationChangeSince(ctx, tx, query)
	switch {
	case err != nil:
		return QueuedChange{}, fmt.Errorf("looking for a foreign writer's change: %w", err)
	case found.Waits:
		return QueuedChange{Since: &found.Since}, nil
	default:
		return QueuedChange{Unknown: found.More}, nil
	}
}

// changeInWords is for what nobody has calculated yet.
func (e *Explanation) changeInWords() string {
	switch {
	case e.Change.Since != nil:
		return fmt.Sprintf("A foreign writer changed it at %s, which waits to be calculated. Every app serve does that within a "+
			"second or so, unless there is much before it, or somebody has locked the organization.", e.at(*e.Change.Since))
	case e.Change.Unknown:
		return fmt.Sprintf("A change of it by a foreign writer may wait to be calculated: so many changes do that only the first "+
			"%d were looked through. How many, and for how long: app triggers status", changesExplained)
	default:
		return ""
	}
}
