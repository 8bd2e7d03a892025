package triggers_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/claimsync/claimsync/db/dbtest"
	"github.com/claimsync/claimsync/db/triggers"
)

// desk is a database with the triggers installed, at which somebody writes SQL.
type desk struct {
	t    testing.TB
	pool *pgxpool.Pool
}

// organizations is what a desk begins with: a to c are linked, d is not, and each has a document and a policy.
const organizations = `
	INSERT INTO organizations (id, name, clerk_org_id) VALUES
		('a', 'A', 'org_A'), ('b', 'B', 'org_B'), ('c', 'C', 'org_C'), ('d', 'D', NULL);
	INSERT INTO documents (organization_id, iso_element, status) SELECT id, 'TRAINING_COMPETENCE', 'DRAFT' FROM organizations;
	INSERT INTO insurance_policies (organization_id, policy_type, coverage_amount, expiry_date)
		SELECT id, 'PUBLIC_LIABILITY', 1000000, '2026-01-01' FROM organizations;
	INSERT INTO compliance_assessments SELECT id, 'SERVICING', 'PARTIAL', 50 FROM organizations;
	INSERT INTO organization_members (organization_id, role) SELECT id, 'OWNER' FROM organizations;
	INSERT INTO audits (organization_id, completed_at, rating) SELECT id, '2026-01-01', 'PASS' FROM organizations;
	INSERT INTO capa_records (organization_id, status) SELECT id, 'OPEN' FROM organizations;`

func newDesk(t testing.TB) *desk {
	t.Helper()
	d := &desk{t: t, pool: dbtest.New(t)}
	d.exec(organizations)
	d.install()
	return d
}

func (d *desk) install() []triggers.Change {
	d.t.Helper()
	changes, err := triggers.Install(d.t.Context(), d.pool)
	if err != nil {
		d.t.Fatal(err)
	}
	return changes
}

// exec runs statements, each in a transaction of its own if sql does not say otherwise, as psql does.
func (d *desk) exec(sql string) {
	d.t.Helper()
	if _, err := d.pool.Exec(d.t.Context(), sql, pgx.QueryExecModeSimpleProtocol); err != nil {
		d.t.Fatalf("%s: %v", sql, err)
	}
}

// change is a row of the queue; "" is null.
type change struct {
	Organization string
	Clerk        string
	Bulk         bool
}

// noticed empties the queue, and returns what was in it.
func (d *desk) noticed() []change {
	d.t.Helper()
	rows, err := d.pool.Query(d.t.Context(), `
		WITH taken AS (DELETE FROM organization_change RETURNING *)
		SELECT COALESCE(organization_id, ''), COALESCE(clerk_org_id, ''), bulk FROM taken ORDER BY 1, 2`)
	if err != nil {
		d.t.Fatal(err)
	}
	changes, err := pgx.CollectRows(rows, pgx.RowToStructByPos[change])
	if err != nil {
		d.t.Fatal(err)
	}
	return changes
}

func (d *desk) expect(what string, want ...change) {
	d.t.Helper()
	same(d.t, what, d.noticed(), append([]change{}, want...))
}

func (d *desk) status() triggers.Status {
	d.t.Helper()
	status, err := triggers.Read(d.t.Context(), d.pool)
	if err != nil {
		d.t.Fatal(err)
	}
	return status
}

// hasty gives a transaction that waits for no lock.
func (d *desk) hasty() pgx.Tx {
	d.t.Helper()
	tx, err := d.pool.Begin(d.t.Context())
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { _ = tx.Rollback(context.Background()) })
	d.run(tx, "SET LOCAL lock_timeout = '50ms'")
	return tx
}

func (d *desk) run(tx pgx.Tx, sql string, args ...any) {
	d.t.Helper()
	if _, err := tx.Exec(d.t.Context(), sql, args...); err != nil {
		d.t.Fatalf("%s: %v", sql, err)
	}
}

func (d *desk) until(what string, condition func() bool) {
	d.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !condition(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			d.t.Fatalf("after 30 s still not: %s", what)
		}
	}
}

func same(t testing.TB, what string, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}
