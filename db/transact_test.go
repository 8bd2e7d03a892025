package db_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/claimsync/claimsync/db"
	"github.com/claimsync/claimsync/db/dbtest"
)

// Two transactions that take the same locks in opposite order: Postgres ends one of them, and it starts over.
func TestTransactAfterDeadlock(t *testing.T) {
	t.Parallel()
	pool := dbtest.New(t)
	ctx := t.Context()
	if _, err := pool.Exec(ctx, "CREATE TABLE counter (id int PRIMARY KEY, n int NOT NULL)"); err != nil {
		t.Fatal(err)
	}
	if _, err := pool.Exec(ctx, "INSERT INTO counter VALUES (1, 0), (2, 0)"); err != nil {
		t.Fatal(err)
	}
	var runs atomic.Int32
	var both, done sync.WaitGroup
	both.Add(2)
	for _, order := range [][2]int{{1, 2}, {2, 1}} {
		meet := sync.OnceFunc(func() { both.Done(); both.Wait() }) // each holds its first lock once
		done.Go(func() {
			err := db.Transact(ctx, pool, func(tx pgx.Tx) error {
				runs.Add(1)
				for _, id := range order {
					if _, err := tx.Exec(ctx, "UPDATE counter SET n = n + 1 WHERE id = $1", id); err != nil {
						return err
					}
					meet()
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	done.Wait()
	var sum int
	if err := pool.QueryRow(ctx, "SELECT sum(n) FROM counter").Scan(&sum); err != nil {
		t.Fatal(err)
	}
	if sum != 4 || runs.Load() < 3 {
		t.Errorf("sum %d after %d runs; want 4 after at least 3", sum, runs.Load())
	}
}

func TestTransactGivesUp(t *testing.T) {
	t.Parallel()
	pool := dbtest.New(t)
	conflict := &pgconn.PgError{Code: "40001"}
	other := errors.New("other")
	tests := map[string]struct {
		err  error
		runs int
	}{
		"conflict that persists": {conflict, 5},
		"any other failure":      {other, 1},
	}
	for name, test := range tests {
		runs := 0
		err := db.Transact(t.Context(), pool, func(pgx.Tx) error { runs++; return test.err })
		if !errors.Is(err, test.err) || runs != test.runs {
			t.Errorf("%s: %v after %d runs, want %d", name, err, runs, test.runs)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	err := db.Transact(ctx, pool, func(pgx.Tx) error { cancel(); return conflict })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled between two runs: %v", err)
	}
}
