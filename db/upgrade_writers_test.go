package db_test

import (
	"context"
	"flag"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/claimsync/claimsync/db"
	"github.com/claimsync/claimsync/db/dbtest"
)

var organizations = flag.Int("organizations", 3000, "how many TestUpgradeBesideWriters migrates, for its figures")

// What the version before writes goes on being written while a newer one migrates, and what it wrote is taken over. With
// -organizations and -v it tells how long each migration takes, and the longest that a write took meanwhile.
func TestUpgradeBesideWriters(t *testing.T) {
	t.Parallel()
	pool := dbtest.NewEmpty(t)
	migrateTo(t, pool, 2)
	populate(t, pool, *organizations)

	writers := startWriters(t, pool, *organizations)
	for _, version := range versions(t)[2:] {
		writers.longest.Store(0)
		begun := time.Now()
		migrateTo(t, pool, version)
		t.Logf("%05d took %7s; the longest write meanwhile %6s", version, time.Since(begun).Round(time.Millisecond),
			time.Duration(writers.longest.Load()).Round(time.Millisecond))
	}
	writers.stop()
	if n := writers.written.Load(); n < 100 {
		t.Errorf("%d writes: the test proves little", n)
	}

	checkInsuredUntil(t, pool)
	if invalid := invalidIndexes(t, pool); len(invalid) > 0 {
		t.Errorf("half done: %s", invalid)
	}
}

// No organization is locked for longer than a batch takes: what 00006 has filled in is there, and free, while a later
// batch waits for somebody.
func TestMigrationFillsInBatches(t *testing.T) {
	t.Parallel()
	pool := dbtest.NewEmpty(t)
	migrateTo(t, pool, 5)
	populate(t, pool, 1500)
	slow, err := pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	const last = "(SELECT max(id) FROM organizations WHERE insurance_valid)"
	if _, err := slow.Exec(t.Context(), "SELECT FROM organizations WHERE id = "+last+" FOR UPDATE"); err != nil {
		t.Fatal(err)
	}
	migrated := make(chan error, 1)
	go func() { migrated <- db.Migrate(t.Context(), pool, db.MigrateConfig{}) }()
	untilWaiting(t, pool, "insured_until", migrated, 100*time.Millisecond)
	if n := count(t, pool, "organizations WHERE insured_until IS NOT NULL"); n < 500 || n >= 1000 {
		t.Errorf("while it waits %d organizations of 1,000 are filled in", n)
	}
	exec(t, pool, `DO $$ BEGIN
		PERFORM FROM (SELECT id FROM organizations WHERE insured_until IS NOT NULL FOR UPDATE NOWAIT) AS free; END $$`)
	if err := slow.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-migrated; err != nil {
		t.Fatal(err)
	}
	checkInsuredUntil(t, pool)
}

// Whoever changes policies while 00006 fills in has the last word: it locks the organization as every writer does, and reads the
// policies after that. One UPDATE would have read them before it waited.
func TestMigrationFillsInWhatWritersLeave(t *testing.T) {
	t.Parallel()
	pool := dbtest.NewEmpty(t)
	migrateTo(t, pool, 5)
	populate(t, pool, 1500)
	writer, err := pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	// As the program did at migration 5: the organization's lock, its facts, its score.
	for _, sql := range []string{
		"SELECT FROM organizations WHERE id = 'o1' FOR NO KEY UPDATE",
		"UPDATE insurance_policies SET expiry_date = expiry_date + interval '1 year' WHERE organization_id = 'o1'",
		"UPDATE organizations SET insurance_score = 100, calculated_at = now() WHERE id = 'o1'",
	} {
		if _, err := writer.Exec(t.Context(), sql); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
	migrated := make(chan error, 1)
	go func() { migrated <- db.Migrate(t.Context(), pool, db.MigrateConfig{}) }()
	untilWaiting(t, pool, "insured_until", migrated, 0)
	if err := writer.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-migrated; err != nil {
		t.Fatal(err)
	}
	checkInsuredUntil(t, pool)
}

// checkInsuredUntil looks at what 00006 has filled in.
func checkInsuredUntil(t *testing.T, pool *pgxpool.Pool) {
	t.Helper()
	wrong := count(t, pool, `organizations AS o WHERE insured_until IS DISTINCT FROM
		CASE WHEN insurance_valid THEN (SELECT max(expiry_date) + interval '1 microsecond' FROM insurance_policies
			WHERE organization_id = o.id AND policy_type = 'PUBLIC_LIABILITY') END`)
	if insured := count(t, pool, "organizations WHERE insured_until IS NOT NULL"); wrong > 0 || insured < 1000 {
		t.Errorf("of %d insured organizations, %d have another end of their insurance than before", insured, wrong)
	}
}

// populate writes as the program did at migration 2.
func populate(t *testing.T, pool *pgxpool.Pool, organizations int) {
	t.Helper()
	exec(t, pool, `INSERT INTO organizations (id, name, clerk_org_id, compliance_score, documentation_score, insurance_score,
			personnel_score, audit_score, insurance_valid, calculated_at, recalculate_at)
		SELECT 'o' || i, 'Organization ' || i, 'org_' || i, 70, 70, 70, 70, 70, i % 3 > 0, now() - interval '1 day',
			now() + i % 365 * interval '1 day' + interval '1 hour'
		FROM generate_series(1, $1) AS i`, organizations)
	exec(t, pool, `INSERT INTO insurance_policies (organization_id, policy_type, coverage_amount, expiry_date)
		SELECT 'o' || i, (ARRAY['PUBLIC_LIABILITY', 'MOTOR_VEHICLE'])[1 + n]::policy_type, 1000, now() + (i + n) % 365 * interval '1 day'
		FROM generate_series(1, $1) AS i, generate_series(0, 1) AS n`, organizations)
	exec(t, pool, `INSERT INTO outbox (topic, key, desired_version, synced_version, synced_at)
		SELECT 'clerk_organization', 'org_' || i, 2, 2, now() FROM generate_series(1, $1) AS i`, organizations)
	exec(t, pool, `INSERT INTO outbox_delivery (topic, key, version, outcome, duration)
		SELECT 'clerk_organization', 'org_' || i, 1, 'applied', '30 ms' FROM generate_series(1, $1) AS i`, organizations)
	exec(t, pool, "VACUUM ANALYZE")
}

// writers write what is written most: scores, versions, deliveries.
type writers struct {
	written, longest atomic.Int64
	running          sync.WaitGroup
	cancel           context.CancelFunc
}

func startWriters(t *testing.T, pool *pgxpool.Pool, organizations int) *writers {
	t.Helper()
	w := &writers{}
	ctx, cancel := context.WithCancel(t.Context())
	w.cancel = cancel
	for i, sql := range []string{
		`UPDATE organizations SET compliance_score = 100 - compliance_score WHERE id = 'o' || $1::int`,
		`UPDATE outbox SET desired_version = desired_version + 1, synced_version = synced_version + 1 WHERE key = 'org_' || $1::int`,
		`INSERT INTO outbox_delivery (topic, key, version, outcome, duration)
			SELECT 'clerk_organization', 'org_' || $1::int, 1, 'applied', '30 ms'`,
	} {
		w.running.Go(func() {
			for n := i; ctx.Err() == nil; n++ {
				begun := time.Now()
				_, err := pool.Exec(ctx, sql, 1+n*7919%organizations)
				if err != nil && ctx.Err() == nil {
					t.Error(fmt.Errorf("%s: %w", sql, err))
					return
				}
				w.note(time.Since(begun))
				time.Sleep(time.Millisecond) // a load, and not all that the machine can do
			}
		})
	}
	return w
}

func (w *writers) note(took time.Duration) {
	w.written.Add(1)
	for longest := w.longest.Load(); int64(took) > longest; longest = w.longest.Load() {
		if w.longest.CompareAndSwap(longest, int64(took)) {
			return
		}
	}
}

func (w *writers) stop() {
	w.cancel()
	w.running.Wait()
}
