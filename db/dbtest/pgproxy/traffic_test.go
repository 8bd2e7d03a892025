package pgproxy

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"
	"golang.org/x/sync/errgroup"
)

func TestBatch(t *testing.T) {
	t.Parallel()
	f := start(t)
	batch := &pgx.Batch{}
	for i := range 500 {
		batch.Queue("INSERT INTO t VALUES ($1)", i)
	}
	batch.Queue("SELECT sum(id)::bigint FROM t").QueryRow(func(row pgx.Row) error {
		var sum int
		if err := row.Scan(&sum); err != nil {
			return err
		}
		if want := 500 * 499 / 2; sum != want {
			t.Errorf("sum is %d, want %d", sum, want)
		}
		return nil
	})
	if err := f.pool.SendBatch(f.ctx, batch).Close(); err != nil {
		t.Fatal(err)
	}
	f.wantRows(500)
}

func TestCopy(t *testing.T) {
	t.Parallel()
	f := start(t)
	const rows = 100_000
	source := pgx.CopyFromSlice(rows, func(i int) ([]any, error) { return []any{i}, nil })
	if _, err := f.pool.CopyFrom(f.ctx, pgx.Identifier{"t"}, []string{"id"}, source); err != nil {
		t.Fatal(err)
	}
	f.wantRows(rows)
	var out bytes.Buffer
	if _, err := f.connect().PgConn().CopyTo(f.ctx, &out, "COPY t TO STDOUT"); err != nil {
		t.Fatal(err)
	}
	if got := bytes.Count(out.Bytes(), []byte("\n")); got != rows {
		t.Errorf("%d rows came out, want %d", got, rows)
	}
}

func TestLargeMessages(t *testing.T) {
	t.Parallel()
	f := start(t)
	for _, size := range []int{bufferSize - headSize - 1, bufferSize, bufferSize + 1, 8 << 20} {
		large := strings.Repeat("0123456789abcdef", size/16+1)[:size]
		if got := value[string](f, f.pool, "SELECT $1::text", large); got != large {
			t.Errorf("of %d bytes %d came back, or others", size, len(got))
		}
	}
	long := "SELECT 1 /* " + strings.Repeat("x", 3*bufferSize) + " */"
	if got := value[int](f, f.pool, long); got != 1 {
		t.Errorf("the long statement returned %d", got)
	}
}

func TestCancelRequest(t *testing.T) {
	t.Parallel()
	f := start(t)
	conn := f.connect(func(config *pgx.ConnConfig) {
		config.BuildContextWatcherHandler = func(conn *pgconn.PgConn) ctxwatch.Handler {
			return &pgconn.CancelRequestContextWatcherHandler{Conn: conn, DeadlineDelay: patience}
		}
	})
	ctx, cancel := context.WithCancel(f.ctx)
	done := async(func() error {
		_, err := conn.Exec(ctx, "SELECT pg_sleep(60)")
		return err
	})
	f.until("EXISTS (SELECT FROM pg_stat_activity WHERE pid = $1 AND wait_event = 'PgSleep')", conn.PgConn().PID())
	cancel()
	if err := f.result(done); code(err) != "57014" {
		t.Errorf("the canceled query yields %v, want SQLSTATE 57014", err)
	}
	if got := value[int](f, conn, "SELECT 1"); got != 1 {
		t.Error("the connection does not go on")
	}
}

// TestEndsArePassedOn is what a program sees when the server ends its session, and the server when a program goes.
func TestEndsArePassedOn(t *testing.T) {
	t.Parallel()
	f := start(t)
	conn := f.connect()
	f.exec(f.direct, "SELECT pg_terminate_backend($1)", conn.PgConn().PID())
	f.until("NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $1)", conn.PgConn().PID())
	if _, err := conn.Exec(f.ctx, "SELECT 1"); code(err) != "57P01" {
		t.Errorf("the terminated session yields %v, want SQLSTATE 57P01", err)
	}
	if err := f.connect().PgConn().Conn().Close(); err != nil {
		t.Fatal(err)
	}
	f.untilAlone()
}

func TestConcurrency(t *testing.T) {
	t.Parallel()
	f := start(t)
	const workers, rounds = 16, 30
	inserts, commits := f.proxy.Count("^-- name: Insert "), f.proxy.Count("^commit$")
	released := f.proxy.BreakAfter("^-- name: Insert ", Skip(workers*rounds/2))
	go func() {
		defer released.Release()
		if err := released.Wait(f.ctx); err != nil {
			t.Error(err)
		}
	}()
	var group errgroup.Group
	for worker := range workers {
		group.Go(func() error {
			for round := range rounds {
				if err := f.insert(worker*rounds + round); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	f.wantRows(workers * rounds)
	if inserts.N() != workers*rounds || commits.N() != workers*rounds {
		t.Errorf("counted %d inserts and %d commits, want %d of each", inserts.N(), commits.N(), workers*rounds)
	}
}

func TestClose(t *testing.T) {
	t.Parallel()
	f := start(t)
	held, never := f.proxy.BreakBefore("^commit$"), f.proxy.BreakBefore("never")
	done := async(func() error { return f.insert(1) })
	f.wantHit(held)
	f.proxy.Stall()
	stalled := async(func() error { return f.pool.Ping(f.ctx) })
	began := time.Now()
	for range 2 {
		if err := f.proxy.Close(); err != nil {
			t.Error(err)
		}
	}
	if took := time.Since(began); took > patience/2 {
		t.Errorf("Close took %s", took)
	}
	f.wantBroken(done)
	f.wantBroken(stalled)
	if err := held.Wait(f.ctx); err != nil {
		t.Errorf("Wait after the hit and Close: %v", err)
	}
	if err := never.Wait(f.ctx); err == nil || !strings.Contains(err.Error(), "closed") {
		t.Errorf("Wait after Close: %v", err)
	}
	f.untilAlone()
	f.wantRows(0)
}
