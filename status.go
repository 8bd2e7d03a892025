package claimsync

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/claimsync/claimsync/db/dbsqlc"
	"github.com/claimsync/claimsync/outbox"
)

// Status is how far Clerk is in step, over all organizations.
type Status struct {
	Organizations int64
	Clean         int64 // linked, and neither dirty nor parked
	Dirty         int64 // includes Clerk organizations that were unlinked and whose claims are still to be removed
	Parked        int64
	Unlinked      int64

	OldestDirtyAge time.Duration // 0: nothing is dirty

	// ParkedReasons has what the parked ones were given up on for, the most frequent first.
	ParkedReasons []outbox.ParkedReason
}

// Status counts. It reads the whole table of organizations: for people, not for every request.
func (s *Sync) Status(ctx context.Context) (Status, error) {
	pool := s.jobs.Pool
	organizations, err := dbsqlc.New().OrganizationCount(ctx, pool)
	if err != nil {
		return Status{}, fmt.Errorf("counting organizations: %w", err)
	}
	backlog, err := s.outbox.Backlog(ctx, pool, Topic, math.MaxInt32)
	if err != nil {
		return Status{}, err
	}
	status := Status{
		Organizations:  organizations.Organizations,
		Unlinked:       organizations.Unlinked,
		Dirty:          backlog.Dirty,
		Parked:         backlog.Parked,
		Clean:          max(0, organizations.Organizations-organizations.Unlinked-backlog.Dirty-backlog.Parked),
		OldestDirtyAge: backlog.OldestDirtyAge,
	}
	if status.ParkedReasons, err = s.outbox.ParkedReasons(ctx, pool, Topic, math.MaxInt32); err != nil {
		return Status{}, err
	}
	return status, nil
}
