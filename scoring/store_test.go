package scoring_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"github.com/claimsync/claimsync"
	"github.com/claimsync/claimsync/db"
	"github.com/claimsync/claimsync/db/dbtest"
	"github.com/claimsync/claimsync/internal/sample"
	"github.com/claimsync/claimsync/jobs"
	"github.com/claimsync/claimsync/scoring"
)

var now = time.Date(2026, 5, 22, 14, 15, 41, 0, time.UTC)

// shelf is a store on a database of its own, with the real outbox and a River client that only inserts.
type shelf struct {
	*scoring.Store
	t    *testing.T
	pool *pgxpool.Pool
	log  *bytes.Buffer
}

func newShelf(t *testing.T) *shelf {
	t.Helper()
	t.Parallel()
	s := &shelf{t: t, pool: dbtest.New(t), log: new(bytes.Buffer)}
	client, err := river.NewClient(riverpgxv5.New(s.pool), &river.Config{Schema: db.DefaultRiverSchema})
	if err != nil {
		t.Fatal(err)
	}
	sync, err := claimsync.New(claimsync.Config{Pool: s.pool, Logger: slog.New(slog.NewTextHandler(s.log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	s.Store = sync.Store(jobs.NewWaker(client))
	return s
}

func (s *shelf) transact(fn func(tx pgx.Tx) error) {
	s.t.Helper()
	if err := pgx.BeginFunc(s.t.Context(), s.pool, fn); err != nil {
		s.t.Fatal(err)
	}
}

// create makes an organization without facts; clerkOrgID "" leaves it unlinked.
func (s *shelf) create(id, clerkOrgID string) {
	s.t.Helper()
	org := scoring.Organization{ID: id, Name: "Roofs of " + id, CertificationTier: scoring.Accredited}
	if clerkOrgID != "" {
		org.ClerkOrgID = &clerkOrgID
	}
	s.transact(func(tx pgx.Tx) error {
		_, _, err := s.CreateTx(s.t.Context(), tx, org, now)
		return err
	})
}

func (s *shelf) update(id string, update scoring.OrganizationUpdate) {
	s.t.Helper()
	s.transact(func(tx pgx.Tx) error {
		_, _, err := s.UpdateTx(s.t.Context(), tx, id, update, now)
		return err
	})
}

func (s *shelf) recalculate(id string, at time.Time) (org scoring.Organization) {
	s.t.Helper()
	s.transact(func(tx pgx.Tx) (err error) {
		org, _, err = s.RecalculateTx(s.t.Context(), tx, id, at)
		return err
	})
	return org
}

// versions is how often each Clerk organization was marked.
func (s *shelf) versions() map[string]int64 {
	s.t.Helper()
	rows, err := s.pool.Query(s.t.Context(), "SELECT key, desired_version FROM outbox")
	if err != nil {
		s.t.Fatal(err)
	}
	versions := map[string]int64{}
	var key string
	var version int64
	if _, err := pgx.ForEachRow(rows, []any{&key, &version}, func() error { versions[key] = version; return nil }); err != nil {
		s.t.Fatal(err)
	}
	return versions
}

func (s *shelf) count(table string) (n int) {
	s.t.Helper()
	if err := s.pool.QueryRow(s.t.Context(), "SELECT count(*) FROM "+table).Scan(&n); err != nil {
		s.t.Fatal(err)
	}
	return n
}

func same[T any](t *testing.T, what string, got, want T) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// The reference vectors again, now through the database: written, read back, calculated and stored.
func TestGoldenThroughTheDatabase(t *testing.T) {
	s := newShelf(t)
	vectors := scoring.GoldenVectors(t)
	var imported []scoring.OrganizationFacts
	var snapshots []*scoring.Snapshot
	for i, vector := range vectors {
		snapshot, err := scoring.DecodeSnapshot(vector.Snapshot)
		if err != nil {
			t.Fatal(err)
		}
		snapshots = append(snapshots, snapshot)
		imported = append(imported, scoring.OrganizationFacts{
			ID: fmt.Sprintf("org-%03d", i), Name: "Vector", CertificationTier: snapshot.CertificationTier, Facts: snapshot.Facts,
		})
	}
	s.transact(func(tx pgx.Tx) error {
		_, err := s.ImportTx(t.Context(), tx, imported, now)
		return err
	})
	for i, snapshot := range snapshots {
		s.transact(func(tx pgx.Tx) error {
			org, result, err := s.RecalculateTx(t.Context(), tx, imported[i].ID, snapshot.Now)
			if err != nil {
				return err
			}
			want := snapshot.Calculate()
			got, _ := json.Marshal(&result)
			expected, _ := json.Marshal(&want)
			same(t, imported[i].ID, string(got), string(expected))

			stored, facts, err := s.Get(t.Context(), tx, imported[i].ID)
			if err != nil {
				return err
			}
			same(t, "stored organization", stored, org)
			same(t, "stored score", stored.Score.Overall, want.OverallScore)
			same(t, "time of the next change", stored.Score.RecalculateAt.Equal(want.NextChange), true)
			repeated := scoring.Calculate(stored.Score.CalculatedAt, stored.CertificationTier, &facts)
			again, _ := json.Marshal(&repeated)
			same(t, "calculated again from calculated_at", string(again), string(expected))
			return nil
		})
	}
}

func TestRollbackLeavesNoTrace(t *testing.T) {
	s := newShelf(t)
	s.create("a", "org_A")
	before := s.recalculate("a", now)
	rollback := errors.New("rolled back")
	facts := scoring.Facts{Audits: []scoring.Audit{{CompletedAt: &now}}}
	err := pgx.BeginFunc(t.Context(), s.pool, func(tx pgx.Tx) error {
		if _, _, err := s.ReplaceFactsTx(t.Context(), tx, "a", &facts, now); err != nil {
			return err
		}
		if _, _, err := s.CreateTx(t.Context(), tx, scoring.Organization{ID: "b", Name: "B", ClerkOrgID: new("org_B"), CertificationTier: scoring.Certified}, now); err != nil {
			return err
		}
		return rollback
	})
	if !errors.Is(err, rollback) {
		t.Fatal(err)
	}
	s.transact(func(tx pgx.Tx) error {
		after, stored, err := s.Get(t.Context(), tx, "a")
		same(t, "organization", after, before)
		same(t, "facts", stored, scoring.Facts{})
		return err
	})
	same(t, "versions", s.versions(), map[string]int64{"org_A": 1})
	same(t, "jobs", s.count("river.river_job"), 1)
	same(t, "organizations", s.count("organizations"), 1)
}

// What is pushed is marked when it changes, and only then.
func TestMarks(t *testing.T) {
	s := newShelf(t)
	s.create("a", "org_A")
	same(t, "created", s.versions(), map[string]int64{"org_A": 1})

	s.recalculate("a", now)
	s.recalculate("a", now.Add(time.Hour))
	same(t, "recalculated without a change", s.versions(), map[string]int64{"org_A": 1})

	s.update("a", scoring.OrganizationUpdate{Name: new("Another name")})
	same(t, "renamed", s.versions(), map[string]int64{"org_A": 1})

	s.update("a", scoring.OrganizationUpdate{CertificationTier: new(scoring.Certified)})
	same(t, "tier changed, not the score", s.versions(), map[string]int64{"org_A": 2})

	s.update("a", scoring.OrganizationUpdate{ClerkOrgID: new(new("org_B"))})
	same(t, "linked elsewhere: the old one's claims are to go", s.versions(), map[string]int64{"org_A": 3, "org_B": 1})

	// Insurance of any cover makes insurance_valid true, which the score need not show.
	policy := scoring.InsurancePolicy{Type: scoring.PublicLiability, ExpiryDate: now.Add(time.Hour)}
	facts := scoring.Facts{InsurancePolicies: []scoring.InsurancePolicy{policy}}
	s.transact(func(tx pgx.Tx) error {
		_, _, err := s.ReplaceFactsTx(t.Context(), tx, "a", &facts, now)
		return err
	})
	same(t, "insured", s.versions(), map[string]int64{"org_A": 3, "org_B": 2})
	s.recalculate("a", now.Add(2*time.Hour))
	same(t, "the insurance has run out", s.versions(), map[string]int64{"org_A": 3, "org_B": 3})

	s.transact(func(tx pgx.Tx) error {
		linked, err := s.MarkTx(t.Context(), tx, "a")
		same(t, "linked", linked, true)
		return err
	})
	same(t, "pushed again on demand", s.versions(), map[string]int64{"org_A": 3, "org_B": 4})

	s.transact(func(tx pgx.Tx) error { return s.DeleteTx(t.Context(), tx, "a") })
	same(t, "deleted: the claims are to go", s.versions(), map[string]int64{"org_A": 3, "org_B": 5})
}

func TestUnlinkedIsSkippedUntilLinked(t *testing.T) {
	s := newShelf(t)
	s.create("a", "")
	s.recalculate("a", now)
	s.recalculate("a", now)
	same(t, "marks", s.versions(), map[string]int64{})
	same(t, "jobs", s.count("river.river_job"), 0)
	warnings := func() int { return strings.Count(s.log.String(), "level=WARN") }
	same(t, "warnings", warnings(), 1)
	if !strings.Contains(s.log.String(), "organization_id=a") {
		t.Errorf("the warning does not name the organization: %s", s.log)
	}
	s.transact(func(tx pgx.Tx) error {
		linked, err := s.MarkTx(t.Context(), tx, "a")
		same(t, "linked", linked, false)
		return err
	})

	s.update("a", scoring.OrganizationUpdate{ClerkOrgID: new(new("org_A"))})
	same(t, "marks once linked", s.versions(), map[string]int64{"org_A": 1})
	same(t, "jobs once linked", s.count("river.river_job"), 1)

	s.update("a", scoring.OrganizationUpdate{ClerkOrgID: new((*string)(nil))})
	same(t, "marks once unlinked: the claims are to go", s.versions(), map[string]int64{"org_A": 2})
	same(t, "warnings once unlinked again", warnings(), 2)
}

func TestConflictsAreNamed(t *testing.T) {
	s := newShelf(t)
	s.create("a", "org_A")
	s.create("b", "org_B")
	tests := map[string]struct {
		do   func(tx pgx.Tx) error
		want error
	}{
		"id taken": {func(tx pgx.Tx) error {
			_, _, err := s.CreateTx(t.Context(), tx, scoring.Organization{ID: "a", Name: "A", CertificationTier: scoring.Certified}, now)
			return err
		}, scoring.ErrIDTaken},
		"Clerk id taken": {func(tx pgx.Tx) error {
			_, _, err := s.UpdateTx(t.Context(), tx, "b", scoring.OrganizationUpdate{ClerkOrgID: new(new("org_A"))}, now)
			return err
		}, scoring.ErrClerkOrgIDTaken},
		"Clerk id taken, imported": {func(tx pgx.Tx) error {
			_, err := s.ImportTx(t.Context(), tx, []scoring.OrganizationFacts{{ID: "c", Name: "C", ClerkOrgID: new("org_A"), CertificationTier: scoring.Certified}}, now)
			return err
		}, scoring.ErrClerkOrgIDTaken},
		"recalculating nobody": {func(tx pgx.Tx) error {
			_, _, err := s.RecalculateTx(t.Context(), tx, "x", now)
			return err
		}, scoring.ErrNotFound},
		"deleting nobody": {func(tx pgx.Tx) error { return s.DeleteTx(t.Context(), tx, "x") }, scoring.ErrNotFound},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if err := pgx.BeginFunc(t.Context(), s.pool, test.do); !errors.Is(err, test.want) {
				t.Errorf("got %v, want %v", err, test.want)
			}
		})
	}
}

// Two transactions change different facts of one organization. Were the facts read before the lock is had, the second
// would calculate without the first one's change, and store a stale score.
func TestConcurrentChangesOfOneOrganization(t *testing.T) {
	s := newShelf(t)
	s.create("a", "org_A")
	ctx := t.Context()
	replace := func(tx pgx.Tx, facts scoring.Facts) error {
		_, _, err := s.ReplaceFactsTx(ctx, tx, "a", &facts, now)
		return err
	}
	second := make(chan error, 1)
	s.transact(func(tx pgx.Tx) error {
		owner := scoring.Member{Role: scoring.Owner}
		if err := replace(tx, scoring.Facts{Members: []scoring.Member{owner, owner}}); err != nil {
			return err
		}
		go func() {
			second <- pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
				passed := scoring.Audit{CompletedAt: &now, Rating: new(scoring.Pass)}
				return replace(tx, scoring.Facts{Audits: []scoring.Audit{passed}})
			})
		}()
		for s.count("pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'") == 0 {
			time.Sleep(time.Millisecond)
		}
		return nil
	})
	if err := <-second; err != nil {
		t.Fatal(err)
	}
	s.transact(func(tx pgx.Tx) error {
		org, facts, err := s.Get(ctx, tx, "a")
		result := scoring.Calculate(now, org.CertificationTier, &facts)
		same(t, "stored score", org.Score.Overall, result.OverallScore)
		same(t, "personnel and audit", [2]int{org.Score.Personnel, org.Score.Audit}, [2]int{50, 100})
		return err
	})
}

func TestImportTwice(t *testing.T) {
	s := newShelf(t)
	organizations := slices.Collect(sample.Organizations(7, 40, now))
	importAll := func() (imported scoring.Imported) {
		s.transact(func(tx pgx.Tx) (err error) {
			imported, err = s.ImportTx(t.Context(), tx, organizations, now)
			return err
		})
		return imported
	}
	same(t, "first import", importAll(), scoring.Imported{Created: 40})
	linked := len(s.versions())
	jobs := s.count("river.river_job")
	same(t, "jobs", jobs, linked)

	same(t, "second import", importAll(), scoring.Imported{Unchanged: 40})
	for key, version := range s.versions() {
		if version != 1 {
			t.Errorf("%s was marked again: version %d", key, version)
		}
	}
	same(t, "jobs after the second import", s.count("river.river_job"), jobs)

	organizations[3].Name = "Another name"
	organizations[4].Documents = nil // not given: stays
	organizations[5].Documents = []scoring.Document{}
	same(t, "third import", importAll(), scoring.Imported{Updated: 2, Unchanged: 38})
}

func TestRecalculateManySkipsTheMissing(t *testing.T) {
	s := newShelf(t)
	s.create("a", "org_A")
	s.create("c", "")
	s.transact(func(tx pgx.Tx) error {
		found, changed, err := s.RecalculateManyTx(t.Context(), tx, scoring.UrgencyLive, []string{"c", "b", "a"}, time.Time{})
		same(t, "found", found, []string{"a", "c"})
		same(t, "changed", changed, 0)
		return err
	})
}

// A view in the place of the table has none of its checks: what is no score is refused, and the score stays as it was.
func TestStoredScoresAreChecked(t *testing.T) {
	s := newShelf(t)
	s.transact(func(tx pgx.Tx) error {
		_, _, err := s.CreateTx(t.Context(), tx, scoring.Organization{ID: "a", Name: "A", CertificationTier: scoring.Accredited}, now)
		return err
	})
	if _, err := s.pool.Exec(t.Context(), `ALTER TABLE compliance_assessments DROP CONSTRAINT compliance_assessments_score_check`); err != nil {
		t.Fatal(err)
	}
	for _, score := range []string{"NaN", "Infinity", "-1", "100.5"} {
		_, err := s.pool.Exec(t.Context(), `INSERT INTO compliance_assessments VALUES ('a', 'SERVICING', 'COMPLIANT', $1::text::float8)
			ON CONFLICT (organization_id, iso_element) DO UPDATE SET score = excluded.score`, score)
		if err != nil {
			t.Fatal(err)
		}
		err = pgx.BeginFunc(t.Context(), s.pool, func(tx pgx.Tx) error {
			_, _, err := s.RecalculateTx(t.Context(), tx, "a", now)
			return err
		})
		if err == nil || !strings.Contains(err.Error(), "between 0 and 100") {
			t.Errorf("%s: %v", score, err)
		}
	}
}
