package db

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	// migrateLock is the key of the advisory lock that makes concurrent migrations take turns ("claimsyn" in ASCII).
	migrateLock int64 = 0x636c61696d73796e

	// migrateLockEvery is how often a process that waits for its turn asks for it.
	migrateLockEvery = 100 * time.Millisecond

	unlockTimeout = 5 * time.Second
)

// lockMigrations waits for this process's turn, which lasts until unlock.
//
// The lock is a transaction's, for a session's would stay behind in a pooler. It is asked for again and again, and not
// waited for in one statement: that would have a snapshot, which an index that is built CONCURRENTLY by whoever has the
// lock waits for in turn, and PostgreSQL would not see that the two wait for each other. For the same reason the open
// transaction must keep none.
func lockMigrations(ctx context.Context, pool *pgxpool.Pool) (unlock func(), err error) {
	// A connection of its own: the pool may have only one to give.
	conn, err := connectBeside(ctx, pool)
	if err != nil {
		return nil, fmt.Errorf("connecting to migrate: %w", err)
	}
	unlock = func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), unlockTimeout)
		defer cancel()
		_ = conn.Close(ctx) // rolls back, and what has failed before has no transaction left
	}
	for {
		locked, err := tryMigrateLock(ctx, conn)
		if err == nil && locked {
			return unlock, nil
		}
		if err == nil {
			err = sleep(ctx, migrateLockEvery)
		}
		if err != nil {
			unlock()
			return nil, fmt.Errorf("waiting for the migration lock: %w", err)
		}
	}
}

// connectBeside connects as the pool does: an application's may fetch its password first, or set its role afterwards.
func connectBeside(ctx context.Context, pool *pgxpool.Pool) (*pgx.Conn, error) {
	config := pool.Config()
	if config.BeforeConnect != nil {
		if err := config.BeforeConnect(ctx, config.ConnConfig); err != nil {
			return nil, err
		}
	}
	conn, err := pgx.ConnectConfig(ctx, config.ConnConfig)
	if err != nil || config.AfterConnect == nil {
		return conn, err
	}
	if err := config.AfterConnect(ctx, conn); err != nil {
		return nil, errors.Join(err, conn.Close(ctx))
	}
	return conn, nil
}

// tryMigrateLock leaves the transaction open if it has got the lock. How long that lies idle is up to the migrations, and
// so to no timeout.
func tryMigrateLock(ctx context.Context, conn *pgx.Conn) (locked bool, err error) {
	// Not as the role or the database has it: at another level the transaction would keep its snapshot.
	tx, err := conn.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.ReadCommitted})
	if err != nil {
		return false, err
	}
	const try = `SELECT pg_try_advisory_xact_lock($1), count(set_config(name, '0', true)) FROM pg_settings
		WHERE name IN ('idle_in_transaction_session_timeout', 'transaction_timeout')`
	// By the simple protocol: in the extended one the portal of a SELECT stays, and with it its snapshot.
	var timeouts int
	row := tx.QueryRow(ctx, try, pgx.QueryExecModeSimpleProtocol, migrateLock)
	if err := row.Scan(&locked, &timeouts); err != nil || locked {
		return locked, err
	}
	return false, tx.Rollback(ctx)
}
