package scoring_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"github.com/claimsync/claimsync/scoring"
)

// walked is how many organizations newWalk makes: four whole steps of a backfill and a part of one.
const walked = 900

// newWalk is a shelf with organizations o000, o001, …, of which every tenth is linked, and a count of how often each is
// calculated.
func newWalk(t *testing.T) *shelf {
	t.Helper()
	s := newShelf(t)
	s.exec(`INSERT INTO organizations (id, name, clerk_org_id)
		SELECT format('o%s', lpad(i::text, 3, '0')), 'N', CASE WHEN i % 10 = 0 THEN 'org_' || i END FROM generate_series(0, $1 - 1) AS i`, walked)
	s.exec(`CREATE TABLE calculation (id text)`)
	s.exec(`CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS
		$$ BEGIN INSERT INTO calculation VALUES (NEW.id); RETURN NULL; END $$`)
	s.exec(`CREATE TRIGGER note AFTER UPDATE OF calculated_at ON organizations FOR EACH ROW EXECUTE FUNCTION note()`)
	return s
}

func (s *shelf) exec(sql string, args ...any) {
	s.t.Helper()
	if _, err := s.pool.Exec(s.t.Context(), sql, args...); err != nil {
		s.t.Fatal(err)
	}
}

// walk backfills with an observer.
func (s *shelf) walk(ctx context.Context, config scoring.BackfillConfig) (scoring.BackfillProgress, error) {
	config.Pool, config.Store = s.pool, s.Store
	if config.Kind == "" {
		config.Kind = scoring.BackfillRecalculate
	}
	progress, err := scoring.NewBackfill(config).Run(ctx)
	progress.StartedAt = time.Time{} // differs from run to run
	return progress, err
}

// checkOnce checks that every organization was calculated exactly once.
func (s *shelf) checkOnce() {
	s.t.Helper()
	same(s.t, "calculations", s.count("calculation"), walked)
	same(s.t, "organizations calculated", s.count("(SELECT DISTINCT id FROM calculation) AS c"), walked)
}

var walkedAll = scoring.BackfillProgress{Total: walked, Done: walked, Changed: walked, Finished: true}

func TestBackfillGoesOn(t *testing.T) {
	s := newWalk(t)
	for _, stop := range []int64{200, 600} { // the second start does two steps
		ctx, cancel := context.WithCancel(t.Context())
		got, err := s.walk(ctx, scoring.BackfillConfig{Observe: func(p scoring.BackfillProgress) {
			if p.Done == stop {
				cancel()
			}
		}})
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("interrupted: %v", err)
		}
		same(t, "interrupted", got, scoring.BackfillProgress{Total: walked, Done: stop, Changed: stop})
	}
	var first *scoring.BackfillProgress
	got, err := s.walk(t.Context(), scoring.BackfillConfig{Observe: func(p scoring.BackfillProgress) {
		if first == nil {
			first = &p
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	same(t, "continued from", first.Done, int64(600))
	same(t, "at the end", got, walkedAll)
	s.checkOnce()

	// It has ended, so the next one begins anew, and finds nothing changed.
	got, err = s.walk(t.Context(), scoring.BackfillConfig{})
	if err != nil {
		t.Fatal(err)
	}
	same(t, "again", got, scoring.BackfillProgress{Total: walked, Done: walked, Finished: true})
	same(t, "calculations after another run", s.count("calculation"), 2*walked)
}

// Two at the same time take turns: none repeats what the other did, and both learn the end.
func TestBackfillsShare(t *testing.T) {
	s := newWalk(t)
	otherWorks := make(chan struct{})
	var processes errgroup.Group
	processes.Go(func() error {
		got, err := s.walk(t.Context(), scoring.BackfillConfig{Observe: func(p scoring.BackfillProgress) {
			if p.Done == 200 {
				<-otherWorks
			}
		}})
		same(t, "one", got, walkedAll)
		return err
	})
	for s.count("backfill WHERE done >= 200") == 0 {
		time.Sleep(time.Millisecond)
	}
	got, err := s.walk(t.Context(), scoring.BackfillConfig{Observe: func(p scoring.BackfillProgress) {
		if p.Done == 400 {
			close(otherWorks)
		}
	}})
	if err != nil {
		t.Error(err)
	}
	same(t, "other", got, walkedAll)
	if err := processes.Wait(); err != nil {
		t.Error(err)
	}
	s.checkOnce()
}

// Many at the same time, on equal terms.
func TestBackfillsRace(t *testing.T) {
	s := newWalk(t)
	var processes errgroup.Group
	for range 8 {
		processes.Go(func() error {
			_, err := s.walk(t.Context(), scoring.BackfillConfig{})
			return err
		})
	}
	if err := processes.Wait(); err != nil {
		t.Fatal(err)
	}
	// One that starts when the others have ended begins another walk.
	if n := s.count("calculation"); n%walked != 0 {
		t.Errorf("%d calculations of %d organizations", n, walked)
	}
	if n := s.count("(SELECT id FROM calculation GROUP BY id HAVING count(*) <> (SELECT count(*) FROM calculation) / " +
		fmt.Sprint(walked) + ") AS uneven"); n != 0 {
		t.Errorf("%d organizations were not calculated as often as others", n)
	}
}

func TestBackfillRestarted(t *testing.T) {
	s := newWalk(t)
	got, err := s.walk(t.Context(), scoring.BackfillConfig{Observe: func(p scoring.BackfillProgress) {
		if p.Done != 200 {
			return
		}
		got, err := s.walk(t.Context(), scoring.BackfillConfig{Restart: true})
		if err != nil {
			t.Error(err)
		}
		same(t, "the restarted one", got, scoring.BackfillProgress{Total: walked, Done: walked, Changed: walked - 200, Finished: true})
	}})
	if !errors.Is(err, scoring.ErrBackfillRestarted) {
		t.Errorf("the first one: %v", err)
	}
	same(t, "the first one", got, scoring.BackfillProgress{Total: walked, Done: 200, Changed: 200})
	same(t, "calculations", s.count("calculation"), walked+200)
}

// Organizations come and go during the walk: before the cursor, where it is, and after it.
func TestBackfillOfWhatComesAndGoes(t *testing.T) {
	s := newWalk(t)
	got, err := s.walk(t.Context(), scoring.BackfillConfig{Observe: func(p scoring.BackfillProgress) {
		if p.Done == 200 {
			s.exec(`DELETE FROM organizations WHERE id IN ('o000', 'o199', 'o200', 'o300')`)
			s.exec(`INSERT INTO organizations (id, name) VALUES ('a', 'N'), ('o400x', 'N'), ('z', 'N')`)
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	same(t, "progress", got, scoring.BackfillProgress{Total: walked, Done: walked, Changed: walked, Finished: true})
	same(t, "new ones calculated", s.count("calculation WHERE id IN ('o400x', 'z')"), 2)
	same(t, "calculations", s.count("calculation"), walked)
}

// Somebody holds an organization for long. The walk waits for that one only, and keeps nobody else from theirs.
func TestBackfillWaitsAlone(t *testing.T) {
	s := newWalk(t)
	done := make(chan error, 1)
	s.transact(func(tx pgx.Tx) error {
		if _, err := tx.Exec(t.Context(), `UPDATE organizations SET name = 'held' WHERE id = 'o150'`); err != nil {
			return err
		}
		go func() {
			_, err := s.walk(t.Context(), scoring.BackfillConfig{})
			done <- err
		}()
		for s.count("backfill WHERE after_id = 'o149'") == 0 {
			time.Sleep(time.Millisecond)
		}
		same(t, "calculated meanwhile", s.count("calculation"), 150)
		for _, id := range []string{"o149", "o151", "o152", "o199"} {
			s.exec(`UPDATE organizations SET name = 'not held' WHERE id = $1`, id)
		}
		return nil
	})
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	s.checkOnce()
}

// One that cannot be calculated is left out, and named; the others are done. If none can, it is nobody's own fault, and
// the walk stays where it is.
func TestBackfillLeavesOut(t *testing.T) {
	s := newWalk(t)
	s.exec(`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'not this one'; END $$`)
	refuse := func(which string) {
		s.exec(`CREATE OR REPLACE TRIGGER refuse BEFORE UPDATE ON organizations FOR EACH ROW WHEN (` + which + `)
			EXECUTE FUNCTION refuse()`)
	}
	refuse("true")
	got, err := s.walk(t.Context(), scoring.BackfillConfig{})
	if err == nil || !strings.Contains(err.Error(), "not this one") {
		t.Errorf("all refused: %v", err)
	}
	same(t, "all refused", got, scoring.BackfillProgress{Total: walked})

	refuse("NEW.id = 'o250'")
	var log bytes.Buffer
	got, err = s.walk(t.Context(), scoring.BackfillConfig{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	same(t, "one refused", got, scoring.BackfillProgress{Total: walked, Done: walked, Changed: walked - 1, Failed: 1, Finished: true})
	same(t, "calculations", s.count("calculation WHERE id <> 'o250'"), walked-1)
	if !strings.Contains(log.String(), "organization_id=o250") || strings.Count(log.String(), "level=ERROR") != 1 {
		t.Errorf("the log does not name it: %s", &log)
	}
}

// What is in step is pushed again, behind everything else; what is on its way already stays as urgent as it is.
func TestBackfillResync(t *testing.T) {
	s := newWalk(t)
	const linked = walked / 10
	s.transact(func(tx pgx.Tx) error { // org_0 has a change under way
		_, err := s.MarkTx(t.Context(), tx, "o000")
		return err
	})
	got, err := s.walk(t.Context(), scoring.BackfillConfig{Kind: scoring.BackfillResync})
	if err != nil {
		t.Fatal(err)
	}
	same(t, "progress", got, scoring.BackfillProgress{Total: walked, Done: walked, Changed: linked, Finished: true})
	same(t, "calculations", s.count("calculation"), 0)
	same(t, "marked", s.count("outbox"), linked)
	same(t, "jobs", s.count("river.river_job"), linked)
	const waiting = "outbox JOIN river.river_job ON id = job_id WHERE "
	same(t, "jobs behind all others", s.count(waiting+"priority = 4 AND job_priority = 4"), linked-1)
	same(t, "the change's job", s.count(waiting+"key = 'org_0' AND priority = 1"), 1)

	// All are pushed; then they are in step, and pushed again all the same.
	s.exec(`UPDATE outbox SET synced_version = desired_version, dirty_since = NULL, redirtied_at = NULL, job_id = NULL`)
	if _, err := s.walk(t.Context(), scoring.BackfillConfig{Kind: scoring.BackfillResync}); err != nil {
		t.Fatal(err)
	}
	same(t, "dirty again", s.count(waiting+"dirty_since IS NOT NULL AND priority = 4"), linked)
	same(t, "versions", s.count("outbox WHERE desired_version = 2"), linked-1)
}

// A change of something that is to be pushed again by and by goes first.
func TestChangeOvertakesBackfill(t *testing.T) {
	s := newWalk(t)
	if _, err := s.walk(t.Context(), scoring.BackfillConfig{Kind: scoring.BackfillResync}); err != nil {
		t.Fatal(err)
	}
	s.update("o010", scoring.OrganizationUpdate{CertificationTier: new(scoring.Certified)})
	same(t, "its job", s.count("outbox JOIN river.river_job ON id = job_id WHERE key = 'org_10' AND priority = 1"), 1)
}
