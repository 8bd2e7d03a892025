package pgproxy

import (
	"context"
	"errors"
	"fmt"
	"testing"
)

func TestBreakBeforeCommit(t *testing.T) {
	t.Parallel()
	f := start(t)
	commit := f.proxy.BreakBefore("^commit$")
	done := async(func() error { return f.insert(1) })
	f.wantHit(commit)
	f.until(`EXISTS (SELECT FROM pg_stat_activity
		WHERE datname = current_database() AND state = 'idle in transaction')`) // not committing
	f.wantRows(0)
	commit.Release()
	f.wantDone(done)
	f.wantRows(1)

	commit = f.proxy.BreakBefore("^commit$")
	done = async(func() error { return f.insert(2) })
	f.wantHit(commit)
	commit.Sever()
	select {
	case <-commit.conn.ended:
	default:
		t.Error("Sever returned before the connection was closed")
	}
	commit.Release() // too late
	f.wantBroken(done)
	f.pool.Reset()
	f.untilAlone()
	f.wantRows(1)
}

func TestBreakAfterCommit(t *testing.T) {
	t.Parallel()
	f := start(t)
	commit := f.proxy.BreakAfter("^commit$")
	done := async(func() error { return f.insert(1) })
	f.wantHit(commit)
	f.wantRows(1)
	commit.Sever()
	f.wantBroken(done)

	commit = f.proxy.BreakAfter("^commit$")
	done = async(func() error { return f.insert(2) })
	f.wantHit(commit)
	f.wantRows(2)
	commit.Release()
	f.wantDone(done)
}

func TestSkip(t *testing.T) {
	t.Parallel()
	f := start(t)
	before := f.proxy.BreakBefore("name: Insert ", Skip(3))
	after := f.proxy.BreakAfter("^commit$", Skip(1))
	done := async(func() error {
		for id := range 5 {
			if err := f.insert(id); err != nil {
				return fmt.Errorf("row %d: %w", id, err)
			}
		}
		return nil
	})
	f.wantHit(after)
	f.wantRows(2)
	select {
	case <-before.Hit():
		t.Error("it did not skip")
	default:
	}
	after.Release()
	f.wantHit(before)
	f.wantRows(3)
	before.Release()
	f.wantDone(done)
	f.wantRows(5)
}

func TestRemovedBreakpoint(t *testing.T) {
	t.Parallel()
	f := start(t)
	before, after := f.proxy.BreakBefore("^commit$"), f.proxy.BreakAfter("^commit$")
	before.Release()
	after.Sever()
	if err := f.insert(1); err != nil {
		t.Errorf("a removed breakpoint did something: %v", err)
	}
	if err := before.Wait(f.ctx); err == nil {
		t.Error("Wait says that a removed breakpoint was hit")
	}
	if n := len(f.proxy.rules); n != 0 {
		t.Errorf("%d rules are left", n)
	}
	ctx, cancel := context.WithCancel(f.ctx)
	cancel()
	if err := f.proxy.BreakBefore("never").Wait(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Wait without time: %v", err)
	}
}

// TestSeveralBreakpoints are on several connections, and several on one statement.
func TestSeveralBreakpoints(t *testing.T) {
	t.Parallel()
	f := start(t)
	one, other := f.proxy.BreakBefore("^commit$"), f.proxy.BreakAfter("^commit$")
	insert := f.proxy.BreakBefore("name: Insert ")
	done := async(func() error { return f.insert(1) })
	f.wantHit(insert)
	second := async(func() error { return f.insert(2) })
	f.wantHit(one) // by the second, which the spent breakpoint let pass
	one.Release()
	f.wantHit(other)
	f.wantRows(1)
	insert.Release()
	f.wantDone(done) // goes past what holds the second
	other.Sever()
	f.wantBroken(second)
	f.wantRows(2)
}

func TestInvalidPatternPanics(t *testing.T) {
	t.Parallel()
	f := start(t)
	for name, call := range map[string]func(){
		"pattern":   func() { f.proxy.BreakAfter("(") },
		"answering": func() { f.proxy.BreakBefore("x", Answering("x")) },
		"share":     func() { f.proxy.LoseCommits(1.1, 1) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			call()
		}()
	}
}
