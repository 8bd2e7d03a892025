package claimsync_test

import (
	"log/slog"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"github.com/claimsync/claimsync"
	"github.com/claimsync/claimsync/db/dbtest"
	"github.com/claimsync/claimsync/db/triggers"
	"github.com/claimsync/claimsync/jobs"
	"github.com/claimsync/claimsync/scoring"
)

// followed is a database that foreign writers write, with a destination that follows the claims, and nobody at work but the test.
type followed struct {
	t     *testing.T
	pool  *pgxpool.Pool
	sync  *claimsync.Sync
	store *scoring.Store
}

func newFollowed(t *testing.T) *followed {
	t.Helper()
	f := &followed{t: t, pool: dbtest.New(t)}
	_, err := triggers.Install(t.Context(), f.pool)
	f.must(err)
	f.sync, err = claimsync.New(claimsync.Config{Pool: f.pool, Destinations: map[string]claimsync.Destination{
		"crm_account": {Destination: accounts{}, FollowsClaims: true},
	}})
	f.must(err)
	client, err := river.NewClient(riverpgxv5.New(f.pool), jobs.InsertConfig("river", slog.New(slog.DiscardHandler)))
	f.must(err)
	f.store = f.sync.Store(jobs.NewWaker(client))
	return f
}

func (f *followed) must(err error) {
	f.t.Helper()
	if err != nil {
		f.t.Fatal(err)
	}
}

// write runs SQL as psql does, and calculates what it has changed, also what came as bulk.
func (f *followed) write(sql string) {
	f.t.Helper()
	_, err := f.pool.Exec(f.t.Context(), sql, pgx.QueryExecModeSimpleProtocol)
	f.must(err)
	for left := true; left; {
		f.must(pgx.BeginFunc(f.t.Context(), f.pool, func(tx pgx.Tx) error {
			due, err := f.store.RecalculateChangedTx(f.t.Context(), tx, scoring.DueQuery{Limit: 100})
			left = len(due.IDs) > 0
			return err
		}))
	}
}

// told is how often the destination was to be told of the organization.
func (f *followed) told(id string) int64 {
	f.t.Helper()
	status, _, err := f.sync.Outbox().Status(f.t.Context(), f.pool, "crm_account", id)
	f.must(err)
	return status.DesiredVersion
}

// TestForeignWritersAreFollowed: what a foreign writer makes of what is pushed reaches a destination of the application's too,
// of organizations that are linked to Clerk and of others.
func TestForeignWritersAreFollowed(t *testing.T) {
	t.Parallel()
	f := newFollowed(t)
	for _, step := range []struct {
		what, sql     string
		linked, other int64
	}{
		{"two are inserted", "INSERT INTO organizations (id, name, clerk_org_id) VALUES ('linked', 'L', 'org_L'), ('other', 'O', NULL)", 1, 1},
		{"facts that make no difference", "INSERT INTO audits (organization_id) VALUES ('linked')", 1, 1},
		{"the same of one of which nobody can tell", "INSERT INTO audits (organization_id) VALUES ('other')", 1, 2},
		{"names", "UPDATE organizations SET name = 'N'", 1, 2},
		{"tiers", "UPDATE organizations SET certification_tier = 'MASTER_ROOFER'", 2, 3},
		{"unlinked", "UPDATE organizations SET clerk_org_id = NULL WHERE id = 'linked'", 3, 3},
		{"linked", "UPDATE organizations SET clerk_org_id = 'org_L' WHERE id = 'linked'", 4, 3},
		{"pushed by the function", "SELECT claimsync_push('linked')", 5, 3},
		{"deleted", "DELETE FROM organizations WHERE id = 'linked'", 6, 3},
		{"the other too", "DELETE FROM organizations WHERE id = 'other'", 6, 4},
		{"inserted again", "INSERT INTO organizations (id, name, clerk_org_id) VALUES ('linked', 'L', 'org_L'), ('other', 'O', NULL)", 7, 5},
		{"truncated", "TRUNCATE organizations CASCADE", 8, 6},
	} {
		f.write(step.sql)
		if linked, other := f.told("linked"), f.told("other"); linked != step.linked || other != step.other {
			t.Errorf("%s: told %d and %d times, want %d and %d", step.what, linked, other, step.linked, step.other)
		}
	}
}
