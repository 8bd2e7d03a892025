package torture

import (
	"context"
	"encoding/json"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/claimsync/claimsync/internal/plainjobs"
	"github.com/claimsync/claimsync/jobs"
)

// usePlainJobs makes the writers announce changes by unique jobs, and starts two processes' worth of workers for them.
func (f *fleet) usePlainJobs() {
	f.t.Helper()
	plain, err := plainjobs.Start(f.t.Context(), f.pool, f.clerk.BaseURL(), plainjobs.Config{Workers: 2 * jobs.DefaultMaxWorkers})
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() {
		if err := plain.Stop(context.Background()); err != nil {
			f.t.Error(err)
		}
	})
	f.announce = func(ctx context.Context, tx pgx.Tx, _, key string) error { return plain.AnnounceTx(ctx, tx, key) }
}

// untilPlainJobsAreDone waits until River has nothing left to do.
func (f *fleet) untilPlainJobsAreDone(patience time.Duration) {
	f.t.Helper()
	f.until("all plain jobs are done", patience, func() bool {
		return query[int](f, `SELECT count(*) FROM river.river_job WHERE kind = $1 AND finalized_at IS NULL`,
			plainjobs.Kind) == 0
	})
}

// stalePlain counts the organizations of which Clerk does not have the newest state.
func (f *fleet) stalePlain() (stale int) {
	f.t.Helper()
	gather(f, `SELECT key, n FROM tally`, func(row pgx.CollectableRow) error {
		var key string
		var n int64
		err := row.Scan(&key, &n)
		organization, _ := f.clerk.Organization(key)
		if code, ok := claimsOf(json.RawMessage(organization.PublicMetadata)).code(); !ok || code != n%codes {
			stale++
		}
		return err
	})
	return stale
}
