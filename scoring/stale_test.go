package scoring_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/claimsync/claimsync/internal/sample"
	"github.com/claimsync/claimsync/scoring"
)

const day = 24 * time.Hour

// TestNeverStale lets two years pass for two thousand organizations, on a clock that the test drives: somebody writes
// now and then, and what is due is recalculated. Whenever anyone looks, what is stored is what a calculation at that
// instant gives, or due.
func TestNeverStale(t *testing.T) {
	const organizations, years, seed = 2000, 2, 20260522
	s := &passage{shelf: newShelf(t), Rand: rand.New(rand.NewPCG(seed, 0)), now: now}
	s.found(organizations, seed)
	end := s.now.AddDate(years, 0, 0)
	for step := uint64(1); s.now.Before(end); step++ {
		s.pass()
		if step%10 == 0 {
			s.look("before what is due is recalculated", true)
		}
		s.write(seed + step)
		s.recalculateDue()
		if step%10 == 0 {
			s.look("after what was due is recalculated", false)
		}
	}
	s.look("in the end", false)
	s.expectMarks()
	t.Logf("%d organizations, %d written, %d recalculated by time, %d of them (%.2f %%) in vain, %d pushes called for",
		organizations, s.written, s.recalculated, s.inVain, 100*float64(s.inVain)/float64(s.recalculated), s.marks())
	if s.recalculated < 4*organizations {
		t.Errorf("%d recalculations: time had hardly anything to change", s.recalculated)
	}
	if s.inVain*20 >= s.recalculated {
		t.Errorf("%d of %d recalculations changed nothing", s.inVain, s.recalculated)
	}
}

// passage is the simulation. It knows the facts, and so what the database should say.
type passage struct {
	*shelf
	*rand.Rand
	now                           time.Time
	all                           []*company
	byID                          map[string]*company
	written, recalculated, inVain int
}

// company is an organization as it was written last.
type company struct {
	scoring.OrganizationFacts
	claims scoring.Metadata // that its Clerk organization was told of last
	marks  int64            // how often that was
}

func (c *company) at(now time.Time) scoring.Result {
	return scoring.Calculate(now, c.CertificationTier, &c.Facts)
}

// noteClaims expects a mark if the claims differ from what was announced before.
func (c *company) noteClaims(now time.Time) {
	if claims := c.at(now).Metadata; c.ClerkOrgID != nil && claims != c.claims {
		c.claims = claims
		c.marks++
	}
}

func (y *passage) found(n int, seed uint64) {
	y.byID = map[string]*company{}
	for org := range sample.Organizations(seed, n, y.now) {
		c := &company{OrganizationFacts: org}
		c.noteClaims(y.now)
		y.all = append(y.all, c)
		y.byID[c.ID] = c
	}
	for chunk := range slices.Chunk(y.all, 500) {
		y.save(chunk)
	}
}

func (y *passage) save(chosen []*company) {
	y.t.Helper()
	given := make([]scoring.OrganizationFacts, len(chosen))
	for i, c := range chosen {
		given[i] = c.OrganizationFacts
	}
	y.transact(func(tx pgx.Tx) error {
		_, err := y.ImportTx(y.t.Context(), tx, given, y.now)
		return err
	})
}

// pass lets about a day pass; every now and then exactly until a score changes, or a moment less.
func (y *passage) pass() {
	then := y.now.Add(time.Duration(y.ExpFloat64() * float64(day))).Truncate(time.Microsecond)
	if turn := y.any().at(y.now).NextChange; turn.After(y.now) && turn.Before(y.now.Add(5*day)) {
		then = turn.Add(-time.Duration(y.IntN(2)) * time.Microsecond)
	}
	if then.After(y.now) {
		y.now = then
	}
}

func (y *passage) any() *company { return y.all[y.IntN(len(y.all))] }

// write gives a few organizations new facts, whole or in part.
func (y *passage) write(seed uint64) {
	chosen := map[string]*company{}
	for org := range sample.Organizations(seed, y.IntN(12), y.now) {
		c := y.any()
		if y.IntN(4) == 0 {
			c.InsurancePolicies = org.InsurancePolicies
		} else {
			c.Facts, c.CertificationTier = org.Facts, org.CertificationTier
		}
		chosen[c.ID] = c
	}
	var given []*company
	for _, c := range chosen {
		c.noteClaims(y.now)
		given = append(given, c)
	}
	y.save(given)
	y.written += len(given)
}

// recalculateDue recalculates all that is due, as a Recalculator does, but by the driven clock.
func (y *passage) recalculateDue() {
	y.t.Helper()
	for {
		var due scoring.Due
		y.transact(func(tx pgx.Tx) (err error) {
			due, err = y.RecalculateDueTx(y.t.Context(), tx, scoring.DueQuery{Now: y.now, Limit: 100})
			return err
		})
		if len(due.IDs) == 0 {
			return
		}
		y.recalculated += len(due.IDs)
		y.inVain += len(due.IDs) - due.Changed
		for _, id := range due.IDs {
			y.byID[id].noteClaims(y.now)
		}
	}
}

// stored is what the database says of an organization.
type stored struct {
	Overall, Documentation, Insurance, Personnel, Audit int
	InsuranceValid                                      bool
}

// look compares the whole table with fresh calculations. Only what is due may differ, if anything may.
func (y *passage) look(when string, dueMayDiffer bool) {
	y.t.Helper()
	rows, err := y.pool.Query(y.t.Context(), `
		SELECT id, compliance_score, documentation_score, insurance_score, personnel_score, audit_score, insurance_valid,
			COALESCE(recalculate_at <= $1, false), COALESCE(insured_until <= $1, false)
		FROM organizations`, y.now)
	if err != nil {
		y.t.Fatal(err)
	}
	var id string
	var got stored
	var due, lapsed bool
	into := []any{
		&id, &got.Overall, &got.Documentation, &got.Insurance, &got.Personnel, &got.Audit, &got.InsuranceValid, &due, &lapsed,
	}
	_, err = pgx.ForEachRow(rows, into, func() error {
		fresh := y.byID[id].at(y.now)
		b := &fresh.Breakdown
		want := stored{
			fresh.OverallScore, b.Documentation.Score, b.Insurance.Score, b.Personnel.Score, b.Audit.Score,
			fresh.Metadata.InsuranceValid,
		}
		if got != want && !(due && dueMayDiffer) {
			return fmt.Errorf("%s is stale at %s, %s, due: %t (-fresh +stored):\n%s", id, y.now, when, due, cmp.Diff(want, got))
		}
		if got.InsuranceValid != want.InsuranceValid && !lapsed {
			return fmt.Errorf("%s is no longer insured at %s, %s, and is not among the lapsed", id, y.now, when)
		}
		return nil
	})
	if err != nil {
		y.t.Fatal(err)
	}
}

// expectMarks checks that a push was called for whenever a claim changed, and never else.
func (y *passage) expectMarks() {
	y.t.Helper()
	want := map[string]int64{}
	for _, c := range y.all {
		if c.marks > 0 {
			want[*c.ClerkOrgID] = c.marks
		}
	}
	same(y.t, "marks by Clerk organization", y.versions(), want)
}

func (y *passage) marks() (n int64) {
	for _, c := range y.all {
		n += c.marks
	}
	return n
}
