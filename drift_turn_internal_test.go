package claimsync

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/claimsync/claimsync/db/dbtest"
)

// taker is a process that takes turns.
func taker(t *testing.T, pool *pgxpool.Pool, lasts time.Duration) *Sync {
	t.Helper()
	sync, err := New(Config{Pool: pool, DriftEvery: time.Nanosecond})
	if err != nil {
		t.Fatal(err)
	}
	sync.drift.turn = lasts
	return sync
}

// begin waits until the turn can be taken.
func begin(t *testing.T, sync *Sync) *turn {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; {
		taken, err := sync.beginTurn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if taken != nil {
			return taken
		}
		if time.Now().After(deadline) {
			t.Fatal("after 10 s still not its turn")
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// A turn lasts for as long as its process is at work, however long that is.
func TestTurnIsExtended(t *testing.T) {
	t.Parallel()
	pool := dbtest.New(t)
	const lasts = 600 * time.Millisecond
	first, second := taker(t, pool, lasts), taker(t, pool, lasts)
	held := begin(t, first)
	err := held.during(t.Context(), func(ctx context.Context) error {
		for until := time.Now().Add(3 * lasts); time.Now().Before(until); time.Sleep(50 * time.Millisecond) {
			if taken, err := second.beginTurn(ctx); taken != nil || err != nil {
				return fmt.Errorf("another process took the turn (%v)", err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := held.end(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	begin(t, second)
}

// A process that stood still for too long has lost its turn, learns of it, and does not end the other's.
func TestTurnIsLost(t *testing.T) {
	t.Parallel()
	pool := dbtest.New(t)
	stale := begin(t, taker(t, pool, 300*time.Millisecond))
	time.Sleep(300 * time.Millisecond) // it stands still
	other := begin(t, taker(t, pool, time.Hour))
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	err := stale.during(ctx, func(ctx context.Context) error {
		<-ctx.Done()
		return ctx.Err()
	})
	if !errors.Is(err, errTurnLost) {
		t.Errorf("got %v", err)
	}
	for _, cause := range []error{nil, errors.New("failed")} {
		if err := stale.end(t.Context(), cause); err != nil {
			t.Fatal(err)
		}
	}
	if err := other.extend(t.Context()); err != nil {
		t.Errorf("the other's turn was ended: %v", err)
	}
}
