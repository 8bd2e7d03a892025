package claimsync_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/claimsync/claimsync/db"
	"github.com/claimsync/claimsync/db/triggers"
	"github.com/claimsync/claimsync/scoring"
)

// foreignLimit is how soon what a foreign writer has committed is promised to be at Clerk.
const foreignLimit = 10 * time.Second

// foreign is a process of ours on whose database somebody writes who knows nothing of it.
type foreign struct {
	*hooked
	writer *pgxpool.Pool
}

func newForeign(t *testing.T) *foreign {
	t.Helper()
	f := &foreign{hooked: newHooked(t)}
	if _, err := triggers.Install(t.Context(), f.pool); err != nil {
		t.Fatal(err)
	}
	config := f.pool.Config().Copy()
	config.ConnConfig.RuntimeParams["application_name"] = "psql"
	config.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol // as psql does
	var err error
	if f.writer, err = pgxpool.NewWithConfig(context.Background(), config); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.writer.Close)
	return f
}

// write runs SQL as psql would, and returns when it was done.
func (f *foreign) write(sql string, args ...any) time.Time {
	f.t.Helper()
	if _, err := f.writer.Exec(f.t.Context(), sql, args...); err != nil {
		f.t.Fatalf("%s: %v", sql, err)
	}
	return time.Now()
}

// claim is a value at Clerk; nil: there is none.
func (f *foreign) claim(clerkOrgID, key string) any {
	organization, found := f.clerk.Organization(clerkOrgID)
	if !found {
		f.t.Fatalf("Clerk has no %s", clerkOrgID)
	}
	return claimsOf(f.t, organization.PublicMetadata)[key]
}

// follows waits until Clerk says so, for no longer than promised.
func (f *foreign) follows(what string, written time.Time, condition func() bool) {
	f.t.Helper()
	ctx, cancel := context.WithDeadline(f.t.Context(), written.Add(foreignLimit))
	defer cancel()
	if err := f.clerk.WaitFor(ctx, condition); err != nil {
		f.t.Errorf("%s: not at Clerk after %s", what, foreignLimit)
		return
	}
	f.t.Logf("%s: at Clerk after %s", what, time.Since(written).Round(time.Millisecond))
}

func (f *foreign) has(clerkOrgID, key string, want any) func() bool {
	return func() bool { return f.claim(clerkOrgID, key) == want }
}

// Somebody with psql, and no line of ours: all that he commits is at Clerk within seconds.
func TestForeignWriter(t *testing.T) {
	f := newForeign(t)
	f.work()
	for _, id := range []string{"org_A", "org_B", "org_C"} {
		f.clerk.AddOrganization(id, id)
	}
	const insured, score, tier = "insurance_valid", "compliance_score", "certification_tier"

	written := f.write(`BEGIN;
		INSERT INTO organizations (id, name, clerk_org_id) VALUES ('a', 'Roofs', 'org_A');
		INSERT INTO insurance_policies (organization_id, policy_type, coverage_amount, expiry_date)
			VALUES ('a', 'PUBLIC_LIABILITY', 5000000, now() - interval '1 day');
		COMMIT`)
	f.follows("an organization with an insurance that ran out", written, f.has("org_A", insured, false))

	written = f.write("UPDATE insurance_policies SET expiry_date = now() + interval '1 year' WHERE organization_id = 'a'")
	f.follows("the insurance renewed", written, f.has("org_A", insured, true))

	before := f.claim("org_A", score)
	written = f.write(`INSERT INTO documents (organization_id, iso_element, status)
		SELECT 'a', e, 'APPROVED' FROM unnest(enum_range(NULL::iso_element)) AS e`)
	f.follows("documents", written, func() bool { return f.claim("org_A", score) != before })
	with := f.claim("org_A", score)
	written = f.write("DELETE FROM documents WHERE organization_id = 'a'")
	f.follows("documents deleted", written, f.has("org_A", score, before))
	if with == before {
		t.Errorf("the documents made no difference to the score %v", before)
	}

	written = f.write("UPDATE organizations SET certification_tier = 'MASTER_ROOFER' WHERE id = 'a'")
	f.follows("another tier", written, f.has("org_A", tier, "MASTER_ROOFER"))

	written = f.write("UPDATE organizations SET clerk_org_id = NULL WHERE id = 'a'")
	f.follows("unlinked", written, f.has("org_A", tier, nil))

	f.write("UPDATE organizations SET clerk_org_id = 'org_A' WHERE id = 'a'")
	written = f.write("UPDATE organizations SET clerk_org_id = 'org_B' WHERE id = 'a'")
	f.follows("linked elsewhere: there", written, f.has("org_B", tier, "MASTER_ROOFER"))
	f.follows("linked elsewhere: not here", written, f.has("org_A", tier, nil))

	told := len(f.clerk.Writes())
	f.write("UPDATE organizations SET compliance_score = 99 - compliance_score WHERE id = 'a'")
	f.until("a score by hand is calculated over", func() bool {
		return f.is("SELECT compliance_score = $1 AND NOT EXISTS (SELECT FROM organization_change) FROM organizations", before)
	})
	f.clean()
	if len(f.clerk.Writes()) == told || f.claim("org_B", score) != before {
		t.Errorf("Clerk was told nothing, or has %v and not %v", f.claim("org_B", score), before)
	}

	written = f.write("DELETE FROM organizations WHERE id = 'a'")
	f.follows("deleted", written, f.has("org_B", tier, nil))

	f.write("BEGIN; INSERT INTO organizations (id, name, clerk_org_id) VALUES ('c', 'C', 'org_C'); ROLLBACK")
	written = f.write("INSERT INTO organizations (id, name, clerk_org_id) VALUES ('b', 'B', 'org_B')")
	f.follows("what came after a rollback", written, f.has("org_B", tier, "ACCREDITED"))
	f.clean()
	for _, write := range f.clerk.Writes() {
		if write.Organization == "org_C" {
			t.Errorf("Clerk was told of what was rolled back: %+v", write)
		}
	}
}

// The same without triggers: the writer says so himself.
func TestForeignWriterCalls(t *testing.T) {
	f := newForeign(t)
	if _, err := triggers.Remove(t.Context(), f.pool); err != nil {
		t.Fatal(err)
	}
	f.clerk.AddOrganization("org_A", "A")
	f.work()
	f.insert("a", "org_A")
	f.clean()
	written := f.write(`BEGIN;
		INSERT INTO insurance_policies (organization_id, policy_type, coverage_amount, expiry_date)
			VALUES ('a', 'PUBLIC_LIABILITY', 5000000, now() + interval '1 year');
		SELECT claimsync_recalculate('a');
		COMMIT`)
	f.follows("a new insurance", written, f.has("org_A", "insurance_valid", true))
	written = f.write(`WITH unlinked AS (UPDATE organizations SET clerk_org_id = NULL WHERE id = 'a' RETURNING id)
		SELECT claimsync_push('org_A') FROM unlinked`)
	f.follows("unlinked", written, f.has("org_A", "insurance_valid", nil))
}

// Foreign writers and ours write the same organizations as fast as they can, several in a transaction and in any order. No
// foreign one fails because of the triggers, and in the end every score is that of the facts, and at Clerk.
func TestForeignWritersBesideOurs(t *testing.T) {
	f := newForeign(t)
	const organizations, rounds, writers = 6, 40, 4
	ids := numbered("n", organizations)
	for _, id := range ids {
		f.clerk.AddOrganization("org_"+id, id)
		f.insert(id, "org_"+id)
	}
	f.work()
	var writing sync.WaitGroup
	for w := range writers {
		for seed, hammer := range []func(*rand.Rand, []string){f.hammer, f.hammerOurs} {
			random := rand.New(rand.NewPCG(uint64(seed), uint64(w)))
			writing.Go(func() {
				for range rounds {
					hammer(random, ids)
				}
			})
		}
	}
	writing.Wait()
	f.until("the queue is empty", func() bool { return f.is("SELECT count(*) = 0 FROM organization_change") })
	f.clean()
	f.expectTruth(ids)
}

// hammer is a foreign transaction: a few facts of a few organizations, and the tier of one. It locks no second row that
// another writer may want, for which the writers would have to order themselves: only deadlocks of the triggers' making are
// looked for.
func (f *foreign) hammer(random *rand.Rand, ids []string) {
	err := pgx.BeginFunc(f.t.Context(), f.writer, func(tx pgx.Tx) error {
		for range 1 + random.IntN(3) {
			id := ids[random.IntN(len(ids))]
			_, err := tx.Exec(f.t.Context(), `INSERT INTO audits (organization_id, completed_at, rating)
				VALUES ($1, now() - make_interval(days => $2), 'PASS')`, id, random.IntN(700))
			if err != nil {
				return err
			}
		}
		_, err := tx.Exec(f.t.Context(), `DELETE FROM audits WHERE id IN (
			SELECT id FROM audits ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED)`)
		if err != nil {
			return err
		}
		_, err = tx.Exec(f.t.Context(), `UPDATE organizations SET certification_tier = (enum_range(certification_tier))[1 + $2::int]
			WHERE id = $1`, ids[random.IntN(len(ids))], random.IntN(3))
		return err
	})
	if err != nil {
		f.t.Errorf("a foreign writer failed: %v", err)
	}
}

// hammerOurs changes two organizations in a transaction of ours, in the order of their ids.
func (f *foreign) hammerOurs(random *rand.Rand, ids []string) {
	n := random.IntN(len(ids) - 1)
	err := db.Transact(f.t.Context(), f.pool, func(tx pgx.Tx) error {
		for _, id := range ids[n : n+2] {
			members := slices.Repeat([]scoring.Member{{Role: scoring.Owner}}, random.IntN(4))
			if _, _, err := f.store.ReplaceFactsTx(f.t.Context(), tx, id, &scoring.Facts{Members: members}, time.Time{}); err != nil {
				return err
			}
			tier := []scoring.Tier{scoring.Accredited, scoring.Certified, scoring.MasterRoofer}[random.IntN(3)]
			if _, _, err := f.store.UpdateTx(f.t.Context(), tx, id, scoring.OrganizationUpdate{CertificationTier: &tier}, time.Time{}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		f.t.Errorf("a writer of ours failed: %v", err)
	}
}

// expectTruth compares what is stored with what the facts give, and with what Clerk has.
func (f *foreign) expectTruth(ids []string) {
	f.t.Helper()
	for _, id := range ids {
		err := pgx.BeginFunc(f.t.Context(), f.pool, func(tx pgx.Tx) error {
			org, facts, err := f.store.Get(f.t.Context(), tx, id)
			if err != nil {
				return err
			}
			want := scoring.Calculate(org.Score.CalculatedAt, org.CertificationTier, &facts)
			at := fmt.Sprint(f.claim("org_"+id, "compliance_score"), " ", f.claim("org_"+id, "certification_tier"))
			if diff := cmp.Diff([2]string{fmt.Sprint(want.OverallScore), fmt.Sprint(want.OverallScore, " ", org.CertificationTier)},
				[2]string{fmt.Sprint(org.Score.Overall), at}); diff != "" {
				f.t.Errorf("%s (-facts +stored and at Clerk):\n%s", id, diff)
			}
			return nil
		})
		if err != nil {
			f.t.Fatal(err)
		}
	}
}

// A writer who takes his time: his organization waits for him, and not for longer, the others do not.
func TestForeignWriterTakesHisTime(t *testing.T) {
	f := newForeign(t)
	for _, id := range []string{"a", "b"} {
		f.clerk.AddOrganization("org_"+strings.ToUpper(id), id)
		f.insert(id, "org_"+strings.ToUpper(id))
	}
	f.work()
	f.clean()
	slow, err := f.writer.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = slow.Rollback(context.Background()) }()
	if _, err := slow.Exec(t.Context(), "UPDATE organizations SET name = 'Slow', certification_tier = 'MASTER_ROOFER' WHERE id = 'a'"); err != nil {
		t.Fatal(err)
	}
	// Enough changes of the one that is locked to fill several batches.
	for range 250 {
		f.write("INSERT INTO audits (organization_id, completed_at, rating) VALUES ('a', now(), 'PASS')")
	}
	written := f.write("UPDATE organizations SET certification_tier = 'MASTER_ROOFER' WHERE id = 'b'")
	f.follows("another organization meanwhile", written, f.has("org_B", "certification_tier", "MASTER_ROOFER"))
	if !f.is("SELECT count(*) = 250 FROM organization_change WHERE organization_id = 'a'") {
		t.Error("changes of the organization that is locked were taken")
	}
	if err := slow.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.follows("his own, once he is done", time.Now(), f.has("org_A", "certification_tier", "MASTER_ROOFER"))
	f.until("the queue is empty", func() bool { return f.is("SELECT count(*) = 0 FROM organization_change") })
}

// A change that nobody has taken yet is no drift.
func TestForeignChangeIsNoDrift(t *testing.T) {
	t.Parallel()
	d := newDrifting(t)
	if _, err := triggers.Install(t.Context(), d.pool); err != nil {
		t.Fatal(err)
	}
	d.create("a", "b")
	d.work()
	d.synced()
	d.exec("UPDATE organizations SET certification_tier = 'MASTER_ROOFER' WHERE id = 'a'")
	report := d.check(looking)
	if report.Drifted != 0 || report.Pending != 1 {
		t.Errorf("%d drifted and %d pending, want 0 and 1", report.Drifted, report.Pending)
	}
}
