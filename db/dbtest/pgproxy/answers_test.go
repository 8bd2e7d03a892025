package pgproxy

import (
	"errors"
	"testing"

	"github.com/jackc/pgx/v5"
)

func TestAnswering(t *testing.T) {
	t.Parallel()
	f := start(t)
	granted := f.proxy.BreakAfter("name: Claim ", Answering("granted"))
	claim := func(verdict string) error {
		const sql = "-- name: Claim :one\nINSERT INTO t VALUES (1) RETURNING $1::text AS verdict"
		var got string
		return f.pool.QueryRow(f.ctx, sql, verdict).Scan(&got)
	}
	for _, verdict := range []string{"refused", "refused"} {
		if err := claim(verdict); err != nil {
			t.Fatal(err)
		}
	}
	done := async(func() error { return claim("granted") })
	f.wantHit(granted)
	f.wantRows(3)
	granted.Release()
	f.wantDone(done)

	committed := f.proxy.BreakAfter("^commit$", Answering("COMMIT"))
	tx, err := f.pool.Begin(f.ctx)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(f.ctx, "SELECT 1/0"); err == nil {
		t.Fatal("the transaction is not spoilt")
	}
	if err := tx.Commit(f.ctx); !errors.Is(err, pgx.ErrTxCommitRollback) {
		t.Errorf("the spoilt commit yields %v", err)
	}
	done = async(func() error { return f.insert(4) })
	f.wantHit(committed)
	committed.Release()
	f.wantDone(done)
}

// TestBreakAfterFailure hits too, and the client hears of the failure only afterwards.
func TestBreakAfterFailure(t *testing.T) {
	t.Parallel()
	f := start(t)
	b := f.proxy.BreakAfter("name: Fail")
	done := async(func() error {
		_, err := f.pool.Exec(f.ctx, "-- name: Fail\nINSERT INTO t SELECT 1 / $1::int", 0)
		return err
	})
	f.wantHit(b)
	b.Release()
	if err := f.result(done); code(err) != "22012" {
		t.Errorf("the client got %v, want SQLSTATE 22012", err)
	}
}

func TestBreakAfterCopy(t *testing.T) {
	t.Parallel()
	f := start(t)
	b := f.proxy.BreakAfter("(?i)^copy ")
	done := async(func() error {
		_, err := f.pool.CopyFrom(f.ctx, pgx.Identifier{"t"}, []string{"id"}, pgx.CopyFromRows([][]any{{1}, {2}}))
		return err
	})
	f.wantHit(b)
	f.wantRows(2)
	b.Sever()
	f.wantBroken(done)
}
