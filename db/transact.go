package db

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
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
	var err error
	for attempt := range transactAttempts {
		if attempt > 0 {
			if waitErr := sleep(ctx, time.Duration(attempt)*rand.N(20*time.Millisecond)); waitErr != nil {
				return fmt.Errorf("%w (while waiting to retry: %w)", waitErr, err)
			}
		}
		err = pgx.BeginTxFunc(ctx, conn, pgx.TxOptions{IsoLevel: pgx.ReadCommitted}, fn)
		if !IsConflict(err) {
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
