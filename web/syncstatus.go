package web

import (
	"time"

	"github.com/claimsync/claimsync"
	"github.com/claimsync/claimsync/outbox"
	"github.com/claimsync/claimsync/scoring"
)

// syncStatus is how an organization stands at Clerk.
type syncStatus struct {
	State          outbox.State       `json:"state"`
	DesiredVersion int64              `json:"desired_version"`
	SyncedVersion  int64              `json:"synced_version"`
	DirtySince     *scoring.Timestamp `json:"dirty_since"`
	SyncedAt       *scoring.Timestamp `json:"synced_at"`
	LastError      *string            `json:"last_error"`
	ParkedReason   *string            `json:"parked_reason"`
}

// syncStatusOf translates the status of the outbox row that belongs to a Clerk organization. The zero Status, of a row
// that is not there, is dirty: Clerk has never been told.
func syncStatusOf(clerkOrgID *string, status outbox.Status) syncStatus {
	switch {
	case clerkOrgID == nil:
		return syncStatus{State: claimsync.StateUnlinked}
	case status.State == "":
		return syncStatus{State: outbox.StateDirty}
	}
	return syncStatus{
		State:          status.State,
		DesiredVersion: status.DesiredVersion,
		SyncedVersion:  status.SyncedVersion,
		DirtySince:     timestamp(status.DirtySince),
		SyncedAt:       timestamp(status.SyncedAt),
		LastError:      status.LastError,
		ParkedReason:   status.ParkedReason,
	}
}

func timestamp(t *time.Time) *scoring.Timestamp {
	return (*scoring.Timestamp)(t)
}
