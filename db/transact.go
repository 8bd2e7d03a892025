package db

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// transactAttempts bounds how often Transact runs its function: conflicts that persist are the caller's to hear of.
const transactAttempts = 5

// Beginner begins transactions: a pool or a connection.
type Beginner interface {
	BeginTx(ctx context.Context, options pgx.TxOptions) (pgx.Tx, error)
}

// Querier runs queries: a pool, a connection or a transaction.
type Querier interface {
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// Transact runs fn in a READ COMMITTED transaction and commits it, or rolls it back if fn fails. After a
// serialization failure (40001) or a deadlock (40P01) it starts over, a few times: fn must not have effects outside
// the transaction.
func Transact(ctx context.Context, conn Beginner, fn func(pgx.Tx) error) error {
	return retryConflicts(ctx, func() error {
		return pgx.BeginTxFunc(ctx, conn, pgx.TxOptions{IsoLevel: pgx.ReadCommitted}, fn)
	})
}

// TransactInTwo is Transact for a transaction that knows all it reads before it writes: it takes two round trips, of which
// BEGIN and COMMIT are none. Both functions queue; read's results are there when write is called, which may refuse.
func TransactInTwo(
	ctx context.Context, pool *pgxpool.Pool, read func(batch *pgx.Batch), write func(batch *pgx.Batch) error,
) error {
	return retryConflicts(ctx, func() error {
		return pool.AcquireFunc(ctx, func(conn *pgxpool.Conn) error {
			err := transactInTwo(ctx, conn, read, write)
			if err != nil && conn.Conn().PgConn().TxStatus() != idle {
				// A connection whose transaction could not be ended is not used again: the pool sees to that.
				_, _ = conn.Exec(context.WithoutCancel(ctx), "rollback")
			}
			return err
		})
	})
}

// idle is the status of a connection without a transaction.
// https://www.postgresql.org/docs/current/protocol-message-formats.html#PROTOCOL-MESSAGE-FORMATS-READYFORQUERY
const idle = 'I'

func transactInTwo(
	ctx context.Context, conn *pgxpool.Conn, read func(batch *pgx.Batch), write func(batch *pgx.Batch) error,
) error {
	batch := &pgx.Batch{}
	batch.Queue("begin isolation level read committed")
	read(batch)
	if err := conn.SendBatch(ctx, batch).Close(); err != nil {
		return err
	}
	batch = &pgx.Batch{}
	if err := write(batch); err != nil {
		return err
	}
	batch.Queue("commit")
	return conn.SendBatch(ctx, batch).Close()
}

func retryConflicts(ctx context.Context, transact func() error) error {
	var err error
	for attempt := range transactAttempts {
		if attempt > 0 {
			if waitErr := sleep(ctx, time.Duration(attempt)*rand.N(20*time.Millisecond)); waitErr != nil {
				return fmt.Errorf("%w (while waiting to retry: %w)", waitErr, err)
			}
		}
		if err = transact(); !IsConflict(err) {
			return err
		}
	}
	return err
}

// IsConflict reports whether the transaction was refused only because of others that ran beside it.
// https://www.postgresql.org/docs/current/mvcc-serialization-failure-handling.html
func IsConflict(err error) bool {
	code := Code(err)
	return code == "40001" || code == "40P01"
}

// Code returns the SQLSTATE of the error that the database answered with, or "" if err is none.
func Code(err error) string {
	var pgErr *pgconn.PgError
	if errors.As(err, &pgErr) {
		return pgErr.Code
	}
	return ""
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
