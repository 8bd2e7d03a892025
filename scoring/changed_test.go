package scoring_test

import (
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/claimsync/claimsync/scoring"
)

// queue adds a row as a trigger does; "" is null.
func (s *shelf) queue(id, clerkOrgID string, bulk bool) {
	s.t.Helper()
	_, err := s.pool.Exec(s.t.Context(), `INSERT INTO organization_change (bulk, organization_id, clerk_org_id)
		VALUES ($3, NULLIF($1, ''), NULLIF($2, ''))`, id, clerkOrgID, bulk)
	if err != nil {
		s.t.Fatal(err)
	}
}

// changed takes what is in the queue.
func (s *shelf) changed(query scoring.DueQuery) (due scoring.Due) {
	s.t.Helper()
	s.transact(func(tx pgx.Tx) (err error) {
		if _, err := tx.Exec(s.t.Context(), "SET LOCAL lock_timeout = '5s'"); err != nil {
			return err
		}
		due, err = s.RecalculateChangedTx(s.t.Context(), tx, query)
		return err
	})
	due.DueAt = time.Time{}
	return due
}

// What is changed by hand comes before what a batch job has changed, and is pushed before it.
func TestChangedByImportance(t *testing.T) {
	s := newShelf(t)
	for _, id := range []string{"a", "b", "c"} {
		s.create(id, "org_"+id)
	}
	s.settle()
	s.queue("a", "org_a", true)
	s.queue("b", "org_b", false)
	s.queue("b", "", false)
	s.queue("c", "", false)
	s.queue("", "org_Gone", false)
	first := s.changed(scoring.DueQuery{Now: now, Limit: 3})
	same(t, "first", first, scoring.Due{IDs: []string{"b", "c"}})
	same(t, "then", s.changed(scoring.DueQuery{Now: now, Limit: 3}).IDs, []string{"org_Gone"})
	same(t, "then", s.changed(scoring.DueQuery{Now: now, Limit: 3}).IDs, []string{"a"})
	same(t, "in the end", s.changed(scoring.DueQuery{Now: now, Limit: 3}), scoring.Due{})
	same(t, "marks", s.versions(), map[string]int64{"org_a": 2, "org_b": 2, "org_c": 1, "org_Gone": 1})
	same(t, "priorities in River", [2]int{s.jobPriority("org_b"), s.jobPriority("org_a")}, [2]int{1, 4})
}

// An organization that was added by somebody else has no score yet, and one that has gone needs none.
func TestChangedWithoutScore(t *testing.T) {
	s := newShelf(t)
	if _, err := s.pool.Exec(t.Context(), "INSERT INTO organizations (id, name, clerk_org_id) VALUES ('a', 'A', 'org_A'), ('d', 'D', NULL)"); err != nil {
		t.Fatal(err)
	}
	s.queue("a", "", false)
	s.queue("x", "", false)
	s.queue("d", "", false)
	same(t, "changed", s.changed(scoring.DueQuery{Now: now, Limit: 10}), scoring.Due{IDs: []string{"a", "x", "d"}, Changed: 2})
	same(t, "marks", s.versions(), map[string]int64{"org_A": 1})
	same(t, "the rest of the queue", s.count("organization_change"), 0)
	same(t, "scores", s.count("organizations WHERE compliance_score IS NOT NULL"), 2)
}

// One that was parked is pushed again, if what is pushed was changed or differs: as by a change of ours.
func TestChangedUnparks(t *testing.T) {
	s := newShelf(t)
	for _, id := range []string{"a", "b"} {
		s.create(id, "org_"+id)
	}
	if _, err := s.pool.Exec(t.Context(), "UPDATE outbox SET job_id = NULL, parked_at = now(), parked_reason = 'park 422'"); err != nil {
		t.Fatal(err)
	}
	s.queue("a", "org_a", false)
	s.queue("b", "", false)
	s.changed(scoring.DueQuery{Now: now, Limit: 10})
	same(t, "a is tried again", s.count("outbox WHERE key = 'org_a' AND parked_at IS NULL AND job_id IS NOT NULL"), 1)
	same(t, "b is not", s.count("outbox WHERE key = 'org_b' AND parked_at IS NOT NULL"), 1)
}

// An organization that somebody else holds is left, with its changes; what others change of others is not. The facts that
// are read are not older than the change that is taken.
func TestChangedLeavesTheLocked(t *testing.T) {
	s := newShelf(t)
	for _, id := range []string{"a", "b", "c"} {
		s.create(id, "org_"+id)
		s.queue(id, "org_"+id, false)
	}
	s.transact(func(tx pgx.Tx) error {
		if _, err := tx.Exec(t.Context(), "SELECT FROM organizations WHERE id = 'a' FOR NO KEY UPDATE"); err != nil {
			return err
		}
		if _, err := tx.Exec(t.Context(), "SELECT FROM organization_change WHERE organization_id = 'b' FOR UPDATE"); err != nil {
			return err
		}
		same(t, "beside the locks", s.changed(scoring.DueQuery{Now: now, Limit: 10}), scoring.Due{IDs: []string{"c"}})
		same(t, "what is left", s.changed(scoring.DueQuery{Now: now, Limit: 10}), scoring.Due{})
		return nil
	})
	same(t, "after them", s.changed(scoring.DueQuery{Now: now, Limit: 10}).IDs, []string{"a", "b"})
}

// A change that cannot be worked off is set aside, and stays in the queue; those beside it are not held up.
func TestRecalculatorSetsChangesAside(t *testing.T) {
	s := newShelf(t)
	for _, id := range []string{"a", "b"} {
		s.create(id, "org_"+id)
	}
	s.settle()
	s.queue("", "org_"+strings.Repeat("x", 300), false) // no key of the outbox is as long
	s.queue("a", "org_a", false)
	s.queue("b", "org_b", false)
	counted := s.recalculator()
	s.until("the others are done", func() bool { return s.count("outbox WHERE desired_version = 2") == 2 })
	s.until("the one is told of", func() bool { return counted.counts()[2] > 0 })
	same(t, "the rest of the queue", s.count("organization_change"), 1)
	same(t, "they are named", counted.said("organization_id=org_"), true)
}

// Whoever unlinks an organization is told of by the log, as if he had done so through claimsync; and once.
func TestChangedWarnsOfTheUnlinked(t *testing.T) {
	s := newShelf(t)
	s.create("a", "org_a")
	if _, err := s.pool.Exec(t.Context(), "UPDATE organizations SET clerk_org_id = NULL"); err != nil {
		t.Fatal(err)
	}
	s.queue("a", "", false)
	s.changed(scoring.DueQuery{Now: now, Limit: 10})
	same(t, "warned of facts", strings.Count(s.log.String(), "has no Clerk id"), 0)
	s.queue("a", "", false)
	s.queue("a", "org_a", false)
	s.changed(scoring.DueQuery{Now: now, Limit: 10})
	same(t, "warned of what is unlinked", strings.Count(s.log.String(), "has no Clerk id"), 1)
}

// The numbers of a row are handed out to sessions in stock, so the first of the queue need not be the oldest.
func TestChangedDueAt(t *testing.T) {
	s := newShelf(t)
	s.create("a", "org_a")
	s.queue("a", "", false)
	s.queue("", "org_Gone", false)
	if _, err := s.pool.Exec(t.Context(), "UPDATE organization_change SET changed_at = $1 WHERE organization_id IS NULL", now); err != nil {
		t.Fatal(err)
	}
	var due scoring.Due
	s.transact(func(tx pgx.Tx) (err error) {
		due, err = s.RecalculateChangedTx(t.Context(), tx, scoring.DueQuery{Limit: 10})
		return err
	})
	same(t, "due since", due.DueAt.UTC(), now.UTC())
}
