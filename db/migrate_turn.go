package db

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

const endTurnTimeout = 5 * time.Second

// turn is this process's turn to migrate: it has every one of migrateLocks, each held by a connection of its own.
//
// Two, because a lock is free as soon as its connection is lost, while a statement of the migration goes on in another.
// The lock that is left then keeps everybody out until that is through, and the next step is not begun.
type turn struct {
	conns    []*pgx.Conn
	unwatch  context.CancelFunc
	watching sync.WaitGroup

	mutex sync.Mutex
	lost  []error // one for each connection that is lost
}

// takeTurn waits for this process's turn, which lasts until end. The context that it returns ends with the last of the
// locks: then others may migrate, and what is under way has to stop.
func takeTurn(ctx context.Context, pool *pgxpool.Pool, logger *slog.Logger) (context.Context, *turn, error) {
	t := &turn{unwatch: func() {}}
	if err := t.take(ctx, pool, logger); err != nil {
		t.end()
		return nil, nil, err
	}
	return t.watch(ctx), t, nil
}

// take may fail with some of the locks taken.
func (t *turn) take(ctx context.Context, pool *pgxpool.Pool, logger *slog.Logger) error {
	for _, lock := range migrateLocks {
		conn, err := connectBeside(ctx, pool)
		if err != nil {
			return fmt.Errorf("connecting to migrate: %w", err)
		}
		t.conns = append(t.conns, conn)
		if err := awaitLock(ctx, conn, lock, logger); err != nil {
			return fmt.Errorf("waiting for the migration lock: %w", err)
		}
	}
	// Is there one more to work with?
	if err := answers(ctx, pool.Ping); err != nil {
		return fmt.Errorf("connecting to migrate: %w", err)
	}
	return nil
}

// watch listens to the connections, on which nothing is ever said but that they are lost. A query would have a snapshot:
// see awaitLock.
func (t *turn) watch(ctx context.Context) context.Context {
	watching, unwatch := context.WithCancel(ctx)
	migrating, cancel := context.WithCancel(ctx)
	t.unwatch = func() { unwatch(); cancel() }
	for _, conn := range t.conns {
		t.watching.Go(func() {
			err := conn.PgConn().WaitForNotification(watching)
			if watching.Err() != nil {
				return
			}
			if t.lose(err) == len(t.conns) {
				cancel()
			}
		})
	}
	return migrating
}

func (t *turn) lose(err error) (lost int) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	t.lost = append(t.lost, err)
	return len(t.lost)
}

// check fails if others cannot be relied on to be kept out.
func (t *turn) check() error {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	if len(t.lost) == 0 {
		return nil
	}
	return fmt.Errorf("the connection that kept other processes from migrating was lost, so this one stopped; migrate again, "+
		"which goes on from here: %w", errors.Join(t.lost...))
}

// steps takes one step after the other until one says that there was nothing left to do.
func (t *turn) steps(step func() (done bool, err error)) error {
	for {
		if err := t.check(); err != nil {
			return err
		}
		done, err := step()
		if lost := t.check(); lost != nil && err != nil {
			return fmt.Errorf("%w: %w", lost, err)
		}
		if done || err != nil {
			return err
		}
	}
}

// end lets others take their turn: closing rolls back.
func (t *turn) end() {
	t.unwatch()
	t.watching.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), endTurnTimeout)
	defer cancel()
	for _, conn := range t.conns {
		_ = conn.Close(ctx) // what has failed before has no transaction left
	}
}
