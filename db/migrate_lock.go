package db

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// migrateLocks are the keys of the advisory locks that make concurrent migrations take turns, in the order in which they
// are taken ("claimsyn" in ASCII, and the next). Versions before this one take the first alone.
var migrateLocks = [...]int64{0x636c61696d73796e, 0x636c61696d73796f}

// migrateLockEvery is how often a process that waits for its turn asks for it.
const migrateLockEvery = 100 * time.Millisecond

// migrateAnswer is how long a question that has nothing to wait for may remain without an answer. A pooler that has too few
// connections for all that a turn takes would keep it waiting for minutes, or for ever.
const migrateAnswer = 10 * time.Second

// answers asks a question that has nothing to wait for but a connection.
func answers(ctx context.Context, ask func(context.Context) error) error {
	asking, cancel := context.WithTimeout(ctx, migrateAnswer)
	defer cancel()
	err := ask(asking)
	if err != nil && asking.Err() != nil && ctx.Err() == nil {
		return fmt.Errorf("no answer within %s: migrating takes three connections at once, and pool or pooler "+
			"(default_pool_size) have none to spare: %w", migrateAnswer, err)
	}
	return err
}

// awaitLock waits until the connection has the lock.
//
// The lock is a transaction's, for a session's would stay behind in a pooler. It is asked for again and again, and not
// waited for in one statement: that would have a snapshot, which an index that is built CONCURRENTLY by whoever has the
// lock waits for in turn, and PostgreSQL would not see that the two wait for each other. For the same reason the open
// transaction must keep none.
func awaitLock(ctx context.Context, conn *pgx.Conn, lock int64, logger *slog.Logger) error {
	for said := false; ; said = true {
		var locked bool
		err := answers(ctx, func(ctx context.Context) (err error) {
			locked, err = tryLock(ctx, conn, lock)
			return err
		})
		if err != nil || locked {
			return err
		}
		if !said {
			logger.InfoContext(ctx, "Waiting for another process, which migrates")
		}
		if err := sleep(ctx, migrateLockEvery); err != nil {
			return err
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

// tryLock leaves the transaction open if it has got the lock. How long that lies idle is up to the migrations, and
// so to no timeout.
func tryLock(ctx context.Context, conn *pgx.Conn, lock int64) (locked bool, err error) {
	// Not as the role or the database has it: at another level the transaction would keep its snapshot.
	tx, err := conn.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.ReadCommitted})
	if err != nil {
		return false, err
	}
	const try = `SELECT pg_try_advisory_xact_lock($1), count(set_config(name, '0', true)) FROM pg_settings
		WHERE name IN ('idle_in_transaction_session_timeout', 'transaction_timeout')`
	// By the simple protocol: in the extended one the portal of a SELECT stays, and with it its snapshot.
	var timeouts int
	row := tx.QueryRow(ctx, try, pgx.QueryExecModeSimpleProtocol, lock)
	if err := row.Scan(&locked, &timeouts); err != nil || locked {
		return locked, err
	}
	return false, tx.Rollback(ctx)
}
