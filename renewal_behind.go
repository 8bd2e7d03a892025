package claimsync

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/claimsync/claimsync/db/dbsqlc"
)

// RenewEvery returns how often, at least, the fleet pushes every organization again; 0: never.
func (s *Sync) RenewEvery() time.Duration { return max(s.renewal.every, 0) }

// RenewalBehind returns by how much renewal is late: what it marks becomes so much older than it should. 0: it is in time.
// Not ok: this process is not to renew, or no walk has begun yet.
func (s *Sync) RenewalBehind(ctx context.Context) (behind time.Duration, ok bool, err error) {
	if s.renewal.every <= 0 {
		return 0, false, nil
	}
	walk, err := dbsqlc.New().RenewalGet(ctx, s.jobs.Pool)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, fmt.Errorf("reading how far renewal is: %w", err)
	}
	if walk.Finished { // then it is the next one that may be late
		walk.Done = walk.Total
	}
	return s.renewal.behind(walk.Total, walk.Done, walk.Now.Sub(walk.StartedAt)), true, nil
}

// behind is for how long the next organization of a walk has been due, or else its end. Less than two looks is in time.
func (r renewal) behind(total, done int64, elapsed time.Duration) time.Duration {
	due := r.period()
	if done+1 < total {
		due = time.Duration(float64(due) * float64(done+1) / float64(total))
	}
	if late := elapsed - due; late >= 2*r.look() {
		return late
	}
	return 0
}

// compareRenewal warns if there are more organizations than can be pushed again so often, even if there was nothing else to push.
func (s *Sync) compareRenewal(ctx context.Context) error {
	admitted := s.outbox.CallsPerSecond(Topic)
	if admitted == 0 { // any number
		return nil
	}
	count, err := dbsqlc.New().OrganizationCount(ctx, s.jobs.Pool)
	if err != nil {
		return fmt.Errorf("counting what is to be renewed: %w", err)
	}
	linked := count.Organizations - count.Unlinked
	if float64(linked) > admitted*s.renewal.every.Seconds() {
		s.logger.WarnContext(ctx, "Claims cannot be renewed as often as they are to be: Clerk's budget does not admit it",
			"organizations", linked, "renew_every", s.renewal.every, "calls_per_second", admitted)
	}
	return nil
}
