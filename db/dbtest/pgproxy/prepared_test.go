package pgproxy

import (
	"testing"

	"github.com/jackc/pgx/v5"
)

// TestPreparedStatement is hit at its Bind, on its first use and when it has long been prepared.
func TestPreparedStatement(t *testing.T) {
	t.Parallel()
	f := start(t)
	conn := f.connect()
	insert := func(id int) error {
		_, err := conn.Exec(f.ctx, "-- name: RowInsert :exec\nINSERT INTO t VALUES ($1)", id)
		return err
	}
	for id := 1; id <= 3; id++ {
		b := f.proxy.BreakAfter(`^-- name: RowInsert :exec\n`)
		done := async(func() error { return insert(id) })
		f.wantHit(b)
		f.wantRows(id) // not at Prepare
		b.Release()
		f.wantDone(done)
	}
	b := f.proxy.BreakBefore(`^-- name: RowInsert :exec\n`)
	done := async(func() error { return insert(4) })
	f.wantHit(b)
	b.Sever()
	f.wantBroken(done)
	f.untilAlone()
	f.wantRows(3)
}

// TestQueryExecModes is about unnamed statements, whose name is used again and again, and the simple protocol.
func TestQueryExecModes(t *testing.T) {
	t.Parallel()
	for _, mode := range []pgx.QueryExecMode{
		pgx.QueryExecModeCacheStatement, pgx.QueryExecModeCacheDescribe, pgx.QueryExecModeDescribeExec,
		pgx.QueryExecModeExec, pgx.QueryExecModeSimpleProtocol,
	} {
		t.Run(mode.String(), func(t *testing.T) {
			t.Parallel()
			f := start(t)
			conn := f.connect(func(config *pgx.ConnConfig) { config.DefaultQueryExecMode = mode })
			ones, twos := f.proxy.Count("-- one"), f.proxy.Count("-- two")
			for range 3 {
				f.exec(conn, "-- one\nINSERT INTO t VALUES ($1)", 1)
				f.exec(conn, "-- two\nINSERT INTO t VALUES ($1)", 2)
			}
			if ones.N() != 3 || twos.N() != 3 {
				t.Errorf("counted %d and %d, want 3 and 3", ones.N(), twos.N())
			}
			b := f.proxy.BreakBefore("-- two")
			f.exec(conn, "-- one\nINSERT INTO t VALUES ($1)", 1)
			done := async(func() error {
				_, err := conn.Exec(f.ctx, "-- two\nINSERT INTO t VALUES ($1)", 2)
				return err
			})
			f.wantHit(b)
			f.wantRows(7)
			b.Release()
			f.wantDone(done)
			f.wantRows(8)
		})
	}
}

func TestStatementInBatch(t *testing.T) {
	t.Parallel()
	f := start(t)
	send := func() error {
		batch := &pgx.Batch{}
		batch.Queue("-- name: First :exec\nINSERT INTO t VALUES ($1)", 1)
		batch.Queue("-- name: Second :exec\nINSERT INTO t VALUES ($1)", 2)
		batch.Queue("-- name: Third :exec\nINSERT INTO t VALUES ($1)", 3)
		return f.pool.SendBatch(f.ctx, batch).Close()
	}
	if err := send(); err != nil { // so that all is prepared
		t.Fatal(err)
	}
	firsts, thirds := f.proxy.Count("name: First "), f.proxy.Count("name: Third ")
	before := f.proxy.BreakBefore("name: Second ")
	done := async(send)
	f.wantHit(before)
	if firsts.N() != 1 || thirds.N() != 0 {
		t.Errorf("the first statement passed %d times and the third %d times", firsts.N(), thirds.N())
	}
	before.Sever()
	f.wantBroken(done)
	f.wantRows(3)

	after := f.proxy.BreakAfter("name: Second ")
	done = async(send)
	f.wantHit(after)
	f.wantRows(6)
	after.Sever()
	f.wantBroken(done)
}

// TestFollowing picks one commit of several by what came before it on its connection.
func TestFollowing(t *testing.T) {
	t.Parallel()
	f := start(t)
	one, other := f.connect(), f.connect()
	b := f.proxy.BreakBefore("^commit$", Following("INSERT"))
	f.exec(one, "begin")
	f.exec(one, "INSERT INTO t VALUES ($1)", 1)
	f.exec(other, "begin")
	f.exec(other, "commit") // of another connection
	f.exec(one, "SELECT 1")
	f.exec(one, "commit") // of another statement
	f.exec(one, "begin")
	f.exec(one, "INSERT INTO t VALUES ($1)", 2)
	done := async(func() error {
		_, err := one.Exec(f.ctx, "commit")
		return err
	})
	f.wantHit(b)
	f.wantRows(1)
	b.Release()
	f.wantDone(done)
	f.wantRows(2)
}
