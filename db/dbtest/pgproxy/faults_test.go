package pgproxy

import (
	"context"
	"errors"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

func TestSever(t *testing.T) {
	t.Parallel()
	f := start(t)
	held := f.proxy.BreakBefore("^commit$")
	done := async(func() error { return f.insert(1) })
	f.wantHit(held)
	idle := f.connect()
	f.proxy.Sever()
	f.wantBroken(done)
	if _, err := idle.Exec(f.ctx, "SELECT 1"); !errors.Is(err, syscall.ECONNRESET) && !errors.Is(err, syscall.EPIPE) {
		t.Errorf("the idle connection yields %v, want a reset", err)
	}
	f.untilAlone()
	f.wantRows(0)
	held.Release()
	f.exec(f.connect(), "SELECT 1")
}

func TestStall(t *testing.T) {
	t.Parallel()
	f := start(t)
	conn, other, leaver := f.connect(), f.connect(), f.connect()
	count := f.proxy.Count("INSERT")
	f.proxy.Stall()
	f.proxy.Stall() // twice is once

	waiting := async(func() error { _, err := other.Exec(f.ctx, "INSERT INTO t VALUES (1)"); return err })
	connecting := async(func() error { return f.pool.Ping(f.ctx) })
	if err := leaver.PgConn().Conn().Close(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(f.ctx, 50*time.Millisecond)
	defer cancel()
	if _, err := conn.Exec(ctx, "SELECT 1"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the stalled statement yields %v, want a timeout", err)
	}
	f.wantRows(0)
	if n := count.N(); n != 0 {
		t.Errorf("%d statements came through", n)
	}
	const session = "EXISTS (SELECT FROM pg_stat_activity WHERE pid = $1)"
	if !value[bool](f, f.direct, "SELECT "+session, leaver.PgConn().PID()) {
		t.Error("the server knows of a client's end")
	}

	f.proxy.Unstall()
	f.proxy.Unstall()
	f.wantDone(waiting)
	f.wantDone(connecting)
	f.wantRows(1)
	f.until("NOT "+session, leaver.PgConn().PID())
}

// TestStallHoldsAnswers is about what the server said before, or says meanwhile.
func TestStallHoldsAnswers(t *testing.T) {
	t.Parallel()
	f := start(t)
	b := f.proxy.BreakAfter("^commit$")
	done := async(func() error { return f.insert(1) })
	f.wantHit(b)
	f.proxy.Stall()
	b.Release()
	f.wantRows(1)
	select {
	case err := <-done:
		t.Errorf("the answer came through: %v", err)
	case <-time.After(20 * time.Millisecond):
	}
	f.proxy.Unstall()
	f.wantDone(done)
}

func TestRefuse(t *testing.T) {
	t.Parallel()
	f := start(t)
	there := f.connect()
	f.proxy.Refuse(true)
	for range 3 {
		if conn, err := pgx.Connect(f.ctx, f.proxy.URL()); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("connecting yields %v, %v, want a reset", conn, err)
		}
	}
	f.exec(there, "SELECT 1")
	f.proxy.Refuse(false)
	f.exec(f.connect(), "SELECT 1")
}

func TestServerAway(t *testing.T) {
	t.Parallel()
	proxy, err := Start("postgres://127.0.0.1:1/none")
	if err != nil {
		t.Fatal(err)
	}
	if conn, err := pgx.Connect(t.Context(), proxy.URL()); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("connecting yields %v, %v, want a reset", conn, err)
	}
	if err := proxy.Close(); err != nil {
		t.Error(err) // that is no fault of the proxy
	}
}

func TestDropNotifications(t *testing.T) {
	t.Parallel()
	f := start(t)
	listener := f.connect()
	f.exec(listener, "LISTEN topic")
	want := func(payload string) {
		t.Helper()
		got, err := listener.WaitForNotification(f.ctx)
		if err != nil {
			t.Fatal(err)
		}
		if got.Payload != payload {
			t.Errorf("notified of %q, want %q", got.Payload, payload)
		}
	}
	f.exec(f.direct, "NOTIFY topic, 'first'")
	want("first")
	f.proxy.DropNotifications(true)
	f.exec(f.direct, "NOTIFY topic, 'lost'")
	f.exec(listener, "NOTIFY topic, 'lost too'") // its own come with its answer, and after all older ones
	f.proxy.DropNotifications(false)
	f.exec(f.direct, "NOTIFY topic, 'last'")
	want("last")
}

func TestLoseCommits(t *testing.T) {
	t.Parallel()
	f := start(t)
	const seed, rows = 1, 60
	losses := f.proxy.LoseCommits(0.5, seed)
	succeeded := 0
	for id := range rows {
		if f.insert(id) == nil {
			succeeded++
		}
	}
	if losses.Before() < rows/10 || losses.After() < rows/10 || losses.Seen() != rows {
		t.Errorf("seed %d: lost %d before and %d after, of %d", seed, losses.Before(), losses.After(), losses.Seen())
	}
	if lost := losses.Before() + losses.After(); succeeded != rows-lost {
		t.Errorf("seed %d: %d succeeded of %d, %d are counted as lost", seed, succeeded, rows, lost)
	}
	f.wantRows(succeeded + losses.After())

	losses.Stop()
	for id := range 10 {
		if err := f.insert(id); err != nil {
			t.Errorf("after the storm: %v", err)
		}
	}
}

// TestLose is about statements that are their own transaction.
func TestLose(t *testing.T) {
	t.Parallel()
	f := start(t)
	losses := f.proxy.Lose("name: Row ", 1, 7)
	for id := range 10 {
		if _, err := f.pool.Exec(f.ctx, "-- name: Row :exec\nINSERT INTO t VALUES ($1)", id); err == nil {
			t.Errorf("row %d survived", id)
		}
	}
	if losses.Before()+losses.After() != 10 {
		t.Errorf("lost %d before and %d after, of 10", losses.Before(), losses.After())
	}
	f.wantRows(losses.After())
}
