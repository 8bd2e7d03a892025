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

func TestTransactInTwo(t *testing.T) {
	t.Parallel()
	pool := dbtest.New(t)
	exec(t, pool, "CREATE TABLE counter (n int NOT NULL CHECK (n < 10))")
	exec(t, pool, "INSERT INTO counter VALUES (0)")
	refused := errors.New("refused")
	tests := map[string]struct {
		read  string
		write string
		fail  error // of write's function
		code  string
		left  int
	}{
		"commits":                      {"SELECT n FROM counter FOR UPDATE", "UPDATE counter SET n = n + 1", nil, "", 1},
		"write refuses":                {"UPDATE counter SET n = 5 RETURNING n", "UPDATE counter SET n = 6", refused, "", 1},
		"a statement of read fails":    {"SELECT 1 / 0", "UPDATE counter SET n = 6", nil, "22012", 1},
		"a statement of write fails":   {"UPDATE counter SET n = 5 RETURNING n", "UPDATE counter SET n = 11", nil, "23514", 1},
		"a statement of write is none": {"UPDATE counter SET n = 5 RETURNING n", "NONE", nil, "42601", 1},
	}
	for _, name := range []string{
		"commits", "write refuses", "a statement of read fails", "a statement of write fails", "a statement of write is none",
	} {
		test := tests[name]
		var n int
		err := db.TransactInTwo(t.Context(), pool,
			func(batch *pgx.Batch) {
				batch.Queue(test.read).QueryRow(func(row pgx.Row) error { return row.Scan(&n) })
			},
			func(batch *pgx.Batch) error {
				batch.Queue(test.write)
				return test.fail
			})
		if test.fail != nil && !errors.Is(err, test.fail) || db.Code(err) != test.code || err != nil == (name == "commits") {
			t.Errorf("%s: %v", name, err)
		}
		var left int
		if err := pool.QueryRow(t.Context(), "SELECT n FROM counter").Scan(&left); err != nil {
			t.Fatal(err)
		}
		if left != test.left {
			t.Errorf("%s: the counter is %d, want %d", name, left, test.left)
		}
		if total := pool.Stat().TotalConns(); total != 1 {
			t.Errorf("%s: %d connections, want the same one again", name, total)
		}
	}
}

// What was read is read anew after a conflict.
func TestTransactInTwoAfterConflict(t *testing.T) {
	t.Parallel()
	pool := dbtest.New(t)
	var reads []int
	err := db.TransactInTwo(t.Context(), pool,
		func(batch *pgx.Batch) { reads = append(reads, len(reads)) },
		func(batch *pgx.Batch) error {
			if len(reads) < 3 {
				batch.Queue("DO $$ BEGIN RAISE serialization_failure; END $$")
			}
			return nil
		})
	if err != nil || len(reads) != 3 {
		t.Errorf("%d tries: %v; want 3", len(reads), err)
	}
}
