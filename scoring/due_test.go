package scoring_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/claimsync/claimsync/scoring"
)

// insure gives the organization a policy, as of its writing.
func (s *shelf) insure(id string, kind scoring.PolicyType, expiry, written time.Time) {
	s.t.Helper()
	facts := scoring.Facts{InsurancePolicies: []scoring.InsurancePolicy{
		{Type: kind, CoverageAmount: scoring.Dollars(10_000_000), ExpiryDate: expiry},
	}}
	s.transact(func(tx pgx.Tx) error {
		_, _, err := s.ReplaceFactsTx(s.t.Context(), tx, id, &facts, written)
		return err
	})
}

func (s *shelf) due(query scoring.DueQuery) (due scoring.Due) {
	s.t.Helper()
	s.transact(func(tx pgx.Tx) (err error) {
		if _, err := tx.Exec(s.t.Context(), "SET LOCAL lock_timeout = '5s'"); err != nil {
			return err
		}
		due, err = s.RecalculateDueTx(s.t.Context(), tx, query)
		return err
	})
	return due
}

// jobPriority is that of the job that will push the Clerk organization.
func (s *shelf) jobPriority(key string) (priority int) {
	s.t.Helper()
	err := s.pool.QueryRow(s.t.Context(), "SELECT job_priority FROM outbox WHERE key = $1", key).Scan(&priority)
	if err != nil {
		s.t.Fatal(err)
	}
	return priority
}

// settle pretends that everything has been pushed.
func (s *shelf) settle() {
	s.t.Helper()
	_, err := s.pool.Exec(s.t.Context(), "UPDATE outbox SET synced_version = desired_version, dirty_since = NULL, job_id = NULL")
	if err != nil {
		s.t.Fatal(err)
	}
}

// After a month the insurances that ran out come before all else, however long that has been due.
func TestDueByImportance(t *testing.T) {
	s := newShelf(t)
	const n = 4
	for i := range n {
		aged, lapsed := fmt.Sprintf("aged%d", i), fmt.Sprintf("lapsed%d", i)
		s.create(aged, "org_"+aged)
		s.create(lapsed, "org_"+lapsed)
		s.insure(aged, scoring.ProfessionalIndemnity, now.Add(61*day+time.Duration(i)*time.Hour), now)
		s.insure(lapsed, scoring.PublicLiability, now.Add(20*day+time.Duration(i)*time.Hour), now)
	}
	s.create("far", "org_far")
	s.insure("far", scoring.PublicLiability, now.Add(365*day), now)
	s.settle()

	month := now.Add(31 * day)
	same(t, "nothing is due yet", s.due(scoring.DueQuery{Now: now, Limit: 10}), scoring.Due{})
	first := s.due(scoring.DueQuery{Now: month, Limit: n - 1})
	same(t, "first", first, scoring.Due{
		IDs: []string{"lapsed0", "lapsed1", "lapsed2"}, Lapsed: true, DueAt: now.Add(20*day + time.Microsecond), Changed: n - 1,
	})
	same(t, "then", s.due(scoring.DueQuery{Now: month, Limit: 10}).IDs, []string{"lapsed3"})
	same(t, "then", s.due(scoring.DueQuery{Now: month, Limit: 2}).IDs, []string{"aged0", "aged1"})
	same(t, "and without one of them", s.due(scoring.DueQuery{Now: month, Limit: 10, Skipped: []string{"aged2"}}).IDs, []string{"aged3"})
	same(t, "in the end", s.due(scoring.DueQuery{Now: month, Limit: 10}).IDs, []string{"aged2"})
	same(t, "nothing is left", s.due(scoring.DueQuery{Now: month, Limit: 10}), scoring.Due{})
	if lapsed, aged := s.jobPriority("org_lapsed0"), s.jobPriority("org_aged0"); lapsed >= aged {
		t.Errorf("priorities in River: %d where the insurance ran out, %d where something else changed", lapsed, aged)
	}
}

// The score of an organization at 0 stays there when its licence expires: nothing is pushed, and nothing is due again.
func TestEqualResultsMarkNothing(t *testing.T) {
	s := newShelf(t)
	s.create("a", "org_A")
	s.insure("a", scoring.PublicLiability, now.Add(365*day), now)
	s.settle()
	// As if an earlier version of the rules had expected a change.
	if _, err := s.pool.Exec(t.Context(), "UPDATE organizations SET recalculate_at = $1", now.Add(day)); err != nil {
		t.Fatal(err)
	}
	before := s.versions()
	same(t, "due", s.due(scoring.DueQuery{Now: now.Add(2 * day), Limit: 10}).IDs, []string{"a"})
	same(t, "marks", s.versions(), before)
	same(t, "due again", s.due(scoring.DueQuery{Now: now.Add(2 * day), Limit: 10}).IDs, nil)
}

// An organization that somebody is changing is left to him: the rest does not wait.
func TestDueLeavesTheLocked(t *testing.T) {
	s := newShelf(t)
	for _, id := range []string{"a", "b"} {
		s.create(id, "org_"+id)
		s.insure(id, scoring.PublicLiability, now.Add(day), now)
	}
	s.transact(func(tx pgx.Tx) error {
		if _, err := tx.Exec(t.Context(), "SELECT FROM organizations WHERE id = 'a' FOR NO KEY UPDATE"); err != nil {
			return err
		}
		same(t, "due beside the lock", s.due(scoring.DueQuery{Now: now.Add(2 * day), Limit: 10}).IDs, []string{"b"})
		return nil
	})
	same(t, "due after it", s.due(scoring.DueQuery{Now: now.Add(2 * day), Limit: 10}).IDs, []string{"a"})
}

// tally is an observer that counts, and keeps the log.
type tally struct {
	mu                         sync.Mutex
	changed, unchanged, failed int
	overdue                    time.Duration
	log                        strings.Builder
}

func (c *tally) Write(line []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.log.Write(line)
}

func (c *tally) said(text string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return strings.Contains(c.log.String(), text)
}

func (c *tally) Recalculated(changed, unchanged int, overdue time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.changed, c.unchanged, c.overdue = c.changed+changed, c.unchanged+unchanged, max(c.overdue, overdue)
}

func (c *tally) RecalculationFailed() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.failed++
}

func (c *tally) counts() [3]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return [3]int{c.changed, c.unchanged, c.failed}
}

// recalculator runs a Recalculator until the test ends.
func (s *shelf) recalculator() *tally {
	counted := &tally{}
	s.run(scoring.RecalculatorConfig{Observer: counted, Logger: slog.New(slog.NewTextHandler(counted, nil))})
	return counted
}

// observed is recalculator with an observer of the test's.
func (s *shelf) observed(observer scoring.RecalculationObserver) {
	s.t.Helper()
	s.run(scoring.RecalculatorConfig{Observer: observer})
}

func (s *shelf) run(config scoring.RecalculatorConfig) {
	s.t.Helper()
	config.Pool, config.Store = s.pool, s.Store
	r := scoring.NewRecalculator(config)
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { r.Run(ctx) })
	s.t.Cleanup(func() { stop(); running.Wait() })
}

func (s *shelf) until(what string, condition func() bool) {
	s.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !condition(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			s.t.Fatalf("after 30 s still not: %s", what)
		}
	}
}

// overdue makes organizations whose insurance ran out a while ago by the real clock.
func (s *shelf) overdue(ids ...string) {
	s.t.Helper()
	written := time.Now().Add(-2 * day)
	for _, id := range ids {
		s.create(id, "org_"+id)
		s.insure(id, scoring.PublicLiability, written.Add(day), written)
	}
	s.settle()
}

func (s *shelf) insured() (ids []string) {
	s.t.Helper()
	err := s.pool.QueryRow(s.t.Context(), "SELECT COALESCE(array_agg(id ORDER BY id), '{}') FROM organizations WHERE insurance_valid").Scan(&ids)
	if err != nil {
		s.t.Fatal(err)
	}
	return ids
}

func TestRecalculator(t *testing.T) {
	s := newShelf(t)
	var ids []string
	for i := range 120 { // more than one batch
		ids = append(ids, fmt.Sprintf("o%03d", i))
	}
	s.overdue(ids...)
	counted := s.recalculator()
	s.until("nobody is insured", func() bool { return len(s.insured()) == 0 })
	s.until("all are counted", func() bool { return counted.counts() == [3]int{120, 0, 0} })
	if counted.overdue < 23*time.Hour || counted.overdue > 25*time.Hour {
		t.Errorf("overdue for %s, want a day", counted.overdue)
	}
	for _, version := range s.versions() {
		if version != 3 { // created, insured, lapsed
			t.Fatalf("marks: %v", s.versions())
		}
	}
	// And one that becomes due while it runs.
	s.create("late", "org_late")
	s.insure("late", scoring.PublicLiability, time.Now().Add(300*time.Millisecond), time.Time{})
	same(t, "insured", s.insured(), []string{"late"})
	s.until("the insurance has run out by itself", func() bool { return len(s.insured()) == 0 })
}

// One that cannot be calculated keeps nobody else; it is said, and tried again later.
func TestRecalculatorGoesAroundThePoisoned(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"refused by the database": `ALTER TABLE organizations ADD CONSTRAINT poison CHECK (id <> 'o1' OR calculated_at < now() - interval '1 day')`,
		"of a tier that a later version has": `ALTER TYPE certification_tier ADD VALUE 'PLATINUM';
			UPDATE organizations SET certification_tier = 'PLATINUM' WHERE id = 'o1'`,
	}
	for name, poison := range tests {
		t.Run(name, func(t *testing.T) {
			s := newShelf(t)
			s.overdue("o0", "o1", "o2", "o3")
			for statement := range strings.SplitSeq(poison, ";") {
				if _, err := s.pool.Exec(t.Context(), statement); err != nil {
					t.Fatal(err)
				}
			}
			counted := s.recalculator()
			s.until("only the poisoned one is left", func() bool { return slices.Equal(s.insured(), []string{"o1"}) })
			s.until("all are counted", func() bool { return counted.counts()[0] == 3 })
			s.until("the poisoned one is said", func() bool {
				return counted.counts()[2] > 0 && counted.said("cannot be recalculated\" organization_id=o1")
			})
		})
	}
}

// Whatever the database is away for, it is gone on with afterwards; that is nobody's fault, and nobody is put off for it.
func TestRecalculatorOutlastsTheDatabase(t *testing.T) {
	s := newShelf(t)
	s.overdue("o0", "o1")
	if _, err := s.pool.Exec(t.Context(), "ALTER TABLE organizations RENAME TO organizations_away"); err != nil {
		t.Fatal(err)
	}
	counted := s.recalculator()
	s.until("it has failed", func() bool { return counted.said("Looking for what is due to be recalculated fails") })
	if _, err := s.pool.Exec(t.Context(), "ALTER TABLE organizations_away RENAME TO organizations"); err != nil {
		t.Fatal(err)
	}
	s.until("both are calculated", func() bool { return len(s.insured()) == 0 })
	s.until("both are counted", func() bool { return counted.counts() == [3]int{2, 0, 0} })
}

// Instants are absolute, and a day is 24 hours: no time zone, no summer time and no leap day moves a limit.
func TestDaysAreOf24Hours(t *testing.T) {
	t.Parallel()
	auckland, err := time.LoadLocation("Pacific/Auckland")
	if err != nil {
		t.Fatal(err)
	}
	policy := func(expiry time.Time) *scoring.Facts {
		return &scoring.Facts{InsurancePolicies: []scoring.InsurancePolicy{
			{Type: scoring.PublicLiability, CoverageAmount: scoring.Dollars(5_000_000), ExpiryDate: expiry},
		}}
	}
	audit := func(completed time.Time) *scoring.Facts {
		return &scoring.Facts{Audits: []scoring.Audit{{CompletedAt: &completed, Rating: new(scoring.Pass)}}}
	}
	tests := map[string]struct {
		now   time.Time
		facts *scoring.Facts
		next  time.Time
	}{
		// New Zealand's clocks go forward on 27 September 2026 at 2:00, so the local time of day shifts by an hour.
		"60 days across the beginning of summer time": {
			time.Date(2026, 8, 1, 0, 0, 0, 0, auckland),
			policy(time.Date(2026, 10, 15, 0, 0, 0, 0, auckland)),
			time.Date(2026, 8, 15, 23, 0, 0, 0, auckland),
		},
		"30 days across its end": {
			time.Date(2027, 3, 10, 0, 0, 0, 0, auckland),
			policy(time.Date(2027, 4, 20, 0, 0, 0, 0, auckland)),
			time.Date(2027, 3, 21, 1, 0, 0, 0, auckland),
		},
		"366 days with a leap day are a year": {
			time.Date(2028, 1, 1, 0, 0, 0, 0, time.UTC),
			audit(time.Date(2027, 6, 1, 12, 0, 0, 0, time.UTC)),
			time.Date(2028, 6, 1, 12, 0, 0, 0, time.UTC),
		},
		"and without one a year and a day": {
			time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
			audit(time.Date(2025, 6, 1, 12, 0, 0, 0, time.UTC)),
			time.Date(2026, 6, 2, 12, 0, 0, 0, time.UTC),
		},
		"60 days before an expiry on a leap day": {
			time.Date(2027, 12, 1, 0, 0, 0, 0, time.UTC),
			policy(time.Date(2028, 2, 29, 0, 0, 0, 0, time.UTC)),
			time.Date(2027, 12, 31, 0, 0, 0, 0, time.UTC),
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := scoring.Calculate(test.now, scoring.Accredited, test.facts)
			if !got.NextChange.Equal(test.next) {
				t.Errorf("next change %s, want %s", got.NextChange.In(test.next.Location()), test.next)
			}
			elsewhere := scoring.Calculate(test.now.In(time.FixedZone("", -11*3600)), scoring.Accredited, test.facts)
			if diff := cmp.Diff(got, elsewhere, cmp.AllowUnexported(scoring.Timestamp{})); diff != "" {
				t.Errorf("the same instant in another time zone (-want +got):\n%s", diff)
			}
		})
	}
}

// A policy has no day on which it begins: it counts from when it is written, also beside the one that it renews.
func TestPolicyCountsFromWhenItIsWritten(t *testing.T) {
	t.Parallel()
	running := scoring.InsurancePolicy{
		Type: scoring.PublicLiability, CoverageAmount: scoring.Dollars(1_000_000), ExpiryDate: now.Add(10 * day),
	}
	renewal := running
	renewal.ExpiryDate = now.Add(375 * day)
	facts := &scoring.Facts{InsurancePolicies: []scoring.InsurancePolicy{running, renewal}}
	got := scoring.Calculate(now, scoring.Accredited, facts)
	same(t, "score of the type", got.Breakdown.Insurance.Policies[0].Score, 100)
	same(t, "next change", got.NextChange, now.Add(315*day))
	same(t, "insured until", got.InsuredUntil, now.Add(375*day+time.Microsecond))
}
