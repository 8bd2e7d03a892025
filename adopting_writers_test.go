package claimsync_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/claimsync/claimsync"
	"github.com/claimsync/claimsync/db"
)

// Two companies besides the one that adopted makes, by the order of their ids: what one statement does to both is done in
// that order, and the first one is the later written.
const (
	firstCompany = "00000000-0000-4000-8000-000000000001"
	lastCompany  = "ffffffff-ffff-4fff-bfff-ffffffffffff"
)

// What docs/adopting.md says of what the team's own writers get, or not.
func TestAdoptedWriters(t *testing.T) {
	t.Parallel()
	const grade = "UPDATE companies SET grade = 'gold' WHERE company_no = $1"
	tests := map[string]struct {
		begin, ours, write string // ours is held, or committed if there is something to begin with
		code               string
	}{
		"another column":     {ours: "SELECT FROM organizations FOR UPDATE", write: "UPDATE companies SET grade = grade WHERE company_no = $1"},
		"facts":              {ours: "SELECT FROM organizations FOR UPDATE", write: "INSERT INTO staff (company_no) VALUES ($1)"},
		"the grade, waiting": {ours: "SELECT FROM organizations FOR NO KEY UPDATE", write: grade, code: "55P03"},
		"the grade, after a calculation": {
			begin: "SELECT FROM companies", ours: "UPDATE organizations SET recalculate_at = now()", write: grade, code: "40001",
		},
		"another column, after a calculation": {
			begin: "SELECT FROM companies", ours: "UPDATE organizations SET recalculate_at = now()",
			write: "UPDATE companies SET grade = grade WHERE company_no = $1",
		},
		"a link that moves in one statement": {write: `UPDATE companies
			SET clerk_organization = CASE company_no WHEN $1 THEN NULL ELSE 'org_L' END WHERE company_no IN ($1, '` + firstCompany + `')`},
		"a link that a webhook has given": {
			begin: "SELECT", ours: "UPDATE organizations SET clerk_org_id = 'org_Z' WHERE id = '" + firstCompany + "'",
			write: "UPDATE companies SET clerk_organization = 'org_Z' WHERE company_no = $1", code: "23505",
		},
		"another number":        {write: "UPDATE companies SET company_no = gen_random_uuid() WHERE company_no = $1", code: "23505"},
		"what is no id":         {write: "UPDATE companies SET clerk_organization = 'L' WHERE company_no = $1", code: "23514"},
		"a name of nothing":     {write: "UPDATE companies SET trading_name = '' WHERE company_no = $1", code: "23514"},
		"a name that is longer": {write: "UPDATE companies SET trading_name = repeat('x', 300) WHERE company_no = $1"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			team, ours := adopted(t)
			addCompanies(t, team)
			theirs := begin(t, team, pgx.TxOptions{IsoLevel: pgx.RepeatableRead})
			run(t, theirs, "SET LOCAL lock_timeout = '100ms'")
			if test.begin != "" {
				run(t, theirs, test.begin)
			}
			held := begin(t, ours, pgx.TxOptions{})
			if test.ours != "" {
				run(t, held, test.ours)
			}
			if test.begin != "" {
				if err := held.Commit(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			_, err := theirs.Exec(t.Context(), test.write, pgx.QueryExecModeExec, lastCompany)
			if err == nil {
				err = theirs.Commit(t.Context())
			}
			if db.Code(err) != test.code || (err == nil) != (test.code == "") {
				t.Errorf("got %v, want %q", err, test.code)
			}
		})
	}
}

// Who writes several companies, a statement each, against the order in which claimsync locks them, may meet a deadlock: one
// of the two is told, and can repeat it. In their order nobody is.
func TestAdoptedWritersAgainstTheOrder(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		order  [2]string
		broken int
	}{
		"against it": {[2]string{lastCompany, firstCompany}, 1},
		"in it":      {[2]string{firstCompany, lastCompany}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			team, ours := adopted(t)
			addCompanies(t, team)
			theirs, batch := begin(t, team, pgx.TxOptions{}), begin(t, ours, pgx.TxOptions{})
			const grade, lock = "UPDATE companies SET grade = 'gold' WHERE company_no = $1", "SELECT FROM organizations WHERE id = $1 FOR NO KEY UPDATE"
			run(t, theirs, grade, test.order[0])
			locked := make(chan error, 1)
			go func() {
				for _, id := range []string{firstCompany, lastCompany} {
					if _, err := batch.Exec(t.Context(), lock, id); err != nil {
						locked <- err
						return
					}
				}
				locked <- batch.Rollback(t.Context())
			}()
			d := &decider{t: t, pool: ours}
			d.until("the batch waits", func() bool { return d.waiting() == 1 })
			_, err := theirs.Exec(t.Context(), grade, test.order[1])
			if err == nil {
				err = theirs.Commit(t.Context())
			} else if rollback := theirs.Rollback(t.Context()); rollback != nil {
				t.Fatal(rollback)
			}
			broken := 0
			for _, err := range []error{err, <-locked} {
				if db.Code(err) == "40P01" {
					broken++
				} else if err != nil {
					t.Error(err)
				}
			}
			if broken != test.broken {
				t.Errorf("%d of them were broken off, want %d", broken, test.broken)
			}
		})
	}
}

func addCompanies(t *testing.T, team *pgxpool.Pool) {
	t.Helper()
	const add = `INSERT INTO companies (company_no, trading_name, clerk_organization) VALUES ($1, 'Last', 'org_L'), ($2, 'First', NULL)`
	if _, err := team.Exec(t.Context(), add, lastCompany, firstCompany); err != nil {
		t.Fatal(err)
	}
}

func begin(t *testing.T, pool *pgxpool.Pool, options pgx.TxOptions) pgx.Tx {
	t.Helper()
	tx, err := pool.BeginTx(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tx.Rollback(context.Background()) })
	return tx
}

func run(t *testing.T, tx pgx.Tx, sql string, args ...any) {
	t.Helper()
	if _, err := tx.Exec(t.Context(), sql, args...); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// failures counts organizations that could not be calculated.
type failures struct {
	claimsync.Observer
	n atomic.Int64
}

func (f *failures) RecalculationFailed() { f.n.Add(1) }

// A value that claimsync's own tables would refuse keeps the score of its organization as it was, and no other's.
func TestAdoptedValues(t *testing.T) {
	t.Parallel()
	for name, write := range map[string]string{
		"below zero":      "UPDATE cover_notes SET sum_insured_cents = -1",
		"too many digits": "UPDATE cover_notes SET sum_insured_cents = 1000000000000000",
		"infinite":        "UPDATE cover_notes SET ends_on = 'infinity'",
		"null": `CREATE OR REPLACE VIEW adopted.organization_members AS SELECT staff_no AS id, company_no::text COLLATE "C" AS organization_id,
			NULL::claimsync.member_role AS role, licence AS lbp_number, licence_checked AS lbp_verified, NULL::claimsync.lbp_status AS lbp_status,
			NULL::timestamptz AS lbp_expiry FROM staff; INSERT INTO staff (company_no) SELECT company_no FROM cover_notes`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			failed := &failures{Observer: deaf{}}
			f := adoptedForeign(t, func(c *claimsync.Config) { c.Observer = failed })
			f.work()
			const tier = "certification_tier"
			f.follows("at first", time.Now(), f.has("org_A", tier, "CERTIFIED"))
			f.clean()
			f.write(write)
			f.until("it fails", func() bool { return failed.n.Load() > 0 })
			written := f.write("INSERT INTO companies (trading_name, clerk_organization) VALUES ('Tiles', 'org_B')")
			f.follows("another company", written, f.has("org_B", tier, "ACCREDITED"))
			if !f.is("SELECT count(*) = 1 FROM organization_change") {
				t.Error("the change is not kept")
			}
		})
	}
}
