package scoring_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/claimsync/claimsync/scoring"
)

// An organization that is written all the time is calculated once for what there is of it, Clerk's ids of before included.
func TestChangedTogether(t *testing.T) {
	s := newShelf(t)
	for _, id := range []string{"a", "b"} {
		s.create(id, "org_"+id)
	}
	for range 50 {
		s.queue("a", "", false)
		s.queue("b", "", false)
	}
	s.queue("a", "org_Before", false)
	same(t, "first", s.changed(scoring.DueQuery{Now: now, Limit: 1}).IDs, []string{"a"})
	same(t, "what is left", s.count("organization_change"), 50)
	same(t, "marked", s.versions()["org_Before"], int64(1))
	same(t, "then", s.changed(scoring.DueQuery{Now: now, Limit: 1}).IDs, []string{"b"})
	same(t, "what is left", s.count("organization_change"), 0)
}

// However many others somebody has locked, what is behind them is taken by the next batch, and their changes are not touched.
func TestChangedBehindTheLocked(t *testing.T) {
	s := newShelf(t)
	const locked = 1000
	_, err := s.pool.Exec(t.Context(), `INSERT INTO organizations (id, name) SELECT 'n' || n, 'N' FROM generate_series(1, $1::integer) AS n`, locked)
	if err != nil {
		t.Fatal(err)
	}
	s.create("z", "org_z")
	_, err = s.pool.Exec(t.Context(), `INSERT INTO organization_change (bulk, organization_id)
		SELECT false, 'n' || n FROM generate_series(1, $1::integer) AS n`, locked)
	if err != nil {
		t.Fatal(err)
	}
	s.queue("z", "", false)
	s.queue("", "org_Gone", false)
	s.transact(func(tx pgx.Tx) error {
		if _, err := tx.Exec(t.Context(), "UPDATE organizations SET name = 'Locked' WHERE id <> 'z'"); err != nil {
			return err
		}
		same(t, "behind them", s.changed(scoring.DueQuery{Now: now, Limit: 10}).IDs, []string{"org_Gone", "z"})
		same(t, "nothing is touched", s.count("organization_change WHERE xmax::text <> '0'"), 0)
		return nil
	})
	same(t, "after them", len(s.changed(scoring.DueQuery{Now: now, Limit: 10}).IDs), 10)
}

// busyWriter changes something by hand each time that something was calculated, until the bulk is.
type busyWriter struct {
	s       *shelf
	batches int
	done    chan int // after how many batches the bulk was calculated
}

func (w *busyWriter) Recalculated(int, int, time.Duration) {
	w.batches++
	ctx, left := context.Background(), true
	err := w.s.pool.QueryRow(ctx, `WITH live AS (INSERT INTO organization_change (bulk, organization_id) VALUES (false, 'live') RETURNING id)
		SELECT EXISTS (SELECT FROM organization_change WHERE bulk) FROM live`).Scan(&left)
	if err != nil {
		w.s.t.Error(err)
	}
	if !left {
		select {
		case w.done <- w.batches:
		default:
		}
	}
}

func (w *busyWriter) RecalculationFailed() { w.s.t.Error("something could not be calculated") }

// What many have changed at once has its turn though what is changed by hand never ceases.
func TestBulkHasItsTurn(t *testing.T) {
	s := newShelf(t)
	s.create("live", "org_live")
	for i := range 150 { // two batches
		s.create(fmt.Sprintf("bulk%d", i), "")
		s.queue(fmt.Sprintf("bulk%d", i), "", true)
	}
	s.queue("live", "", false)
	writer := &busyWriter{s: s, done: make(chan int, 1)}
	s.observed(writer)
	select {
	case batches := <-writer.done:
		if batches > 24 { // 8, and on a slow machine some of those who look for what is contended
			t.Errorf("the bulk was done after %d batches", batches)
		}
	case <-time.After(30 * time.Second):
		t.Fatal("the bulk is never taken")
	}
}

// One that somebody has locked at each look is waited for, and taken between two of his transactions.
func TestContendedIsWaitedFor(t *testing.T) {
	s := newShelf(t)
	s.create("hot", "org_hot")
	s.queue("hot", "org_Before", false)
	s.queue("hot", "", true)
	same(t, "too young", s.contended("5s"), scoring.Due{})
	if _, err := s.pool.Exec(t.Context(), "UPDATE organization_change SET changed_at = now() - interval '3 s'"); err != nil {
		t.Fatal(err)
	}
	holder, err := s.pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = holder.Rollback(context.Background()) }()
	var pid int
	if err := holder.QueryRow(t.Context(), "SELECT pg_backend_pid() FROM organizations WHERE id = 'hot' FOR UPDATE").Scan(&pid); err != nil {
		t.Fatal(err)
	}
	same(t, "not looked for", s.changed(scoring.DueQuery{Now: now, Limit: 10}), scoring.Due{})
	same(t, "not let go", s.contended("10ms"), scoring.Due{})
	same(t, "still there", s.count("organization_change"), 2)

	taken := make(chan scoring.Due, 1)
	go func() { taken <- s.contended("30s") }()
	s.until("somebody waits", func() bool {
		return s.count(fmt.Sprintf("pg_stat_activity WHERE %d = ANY(pg_blocking_pids(pid))", pid)) > 0
	})
	if err := holder.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	same(t, "let go", (<-taken).IDs, []string{"hot"})
	same(t, "nothing is left", s.count("organization_change"), 0)
	same(t, "marked", s.versions()["org_Before"], int64(1))
}

// contended waits for an organization for as long as timeout says.
func (s *shelf) contended(timeout string) (due scoring.Due) {
	err := pgx.BeginFunc(s.t.Context(), s.pool, func(tx pgx.Tx) (err error) {
		if _, err := tx.Exec(s.t.Context(), "SELECT set_config('lock_timeout', $1, true)", timeout); err != nil {
			return err
		}
		due, err = s.RecalculateContendedTx(s.t.Context(), tx, scoring.DueQuery{Now: now, Limit: 1})
		return err
	})
	if err != nil {
		s.t.Error(err)
	}
	due.DueAt = time.Time{}
	return due
}

// A writer who never lets go of an organization for longer than a moment does not keep it from being calculated.
func TestRecalculatorGetsTheHot(t *testing.T) {
	s := newShelf(t)
	s.create("hot", "org_hot")
	s.settle()
	ctx, stop := context.WithCancel(t.Context())
	var writing sync.WaitGroup
	for range 3 { // there is always one that has it, and others who wait for it
		writing.Go(func() {
			for ctx.Err() == nil {
				_, err := s.pool.Exec(context.Background(), `WITH locked AS (SELECT id FROM organizations WHERE id = 'hot' FOR UPDATE)
					SELECT pg_sleep(0.02) FROM locked`)
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	defer writing.Wait()
	defer stop()
	s.queue("hot", "org_hot", false)
	s.recalculator()
	s.until("it is calculated beside them", func() bool { return s.count("organization_change") == 0 })
}

// A row of the outbox that somebody holds keeps nobody but those whose it is, and these no longer than it is held.
func TestRecalculatorGoesAroundTheHeld(t *testing.T) {
	s := newShelf(t)
	const others = 20
	for i := range others {
		id := fmt.Sprintf("o%02d", i)
		s.create(id, "org_"+id)
		s.queue(id, "org_"+id, false)
	}
	s.settle()
	holder, err := s.pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = holder.Rollback(context.Background()) }()
	if _, err := holder.Exec(t.Context(), "SELECT FROM outbox WHERE key = 'org_o00' FOR UPDATE"); err != nil {
		t.Fatal(err)
	}
	counted := s.recalculator()
	s.until("the others are done", func() bool { return s.count("organization_change") == 1 })
	same(t, "which is left", s.count("organization_change WHERE organization_id = 'o00'"), 1)
	if err := holder.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.until("it too", func() bool { return s.count("organization_change") == 0 })
	same(t, "failures", counted.counts()[2], 0)
}
