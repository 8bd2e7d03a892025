package db

import (
	"context"
	"errors"
	"io"
	"net"

	"github.com/jackc/pgerrcode"
	"github.com/jackc/pgx/v5/pgconn"
)

// IsUnavailable reports whether the database could not be reached, went away, or was too busy: the same request may
// succeed later. It is also said of a transaction that was lost during its commit, whose outcome nobody knows; every
// request may be repeated then, but for a creation that leaves the id to us.
func IsUnavailable(err error) bool {
	if code := Code(err); code != "" {
		return unavailableCode(code)
	}
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return true
	}
	if _, ok := errors.AsType[net.Error](err); ok { // a connection that broke
		return true
	}
	return errors.Is(err, pgconn.ErrConnClosed) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) ||
		errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) || pgconn.SafeToRetry(err)
}

// https://www.postgresql.org/docs/current/errcodes-appendix.html
func unavailableCode(code string) bool {
	switch code {
	case pgerrcode.AdminShutdown, pgerrcode.CrashShutdown, pgerrcode.CannotConnectNow,
		pgerrcode.ReadOnlySQLTransaction, // connected to what is no longer the primary
		pgerrcode.LockNotAvailable, pgerrcode.QueryCanceled,
		pgerrcode.SerializationFailure, pgerrcode.DeadlockDetected: // also after Transact's retries
		return true
	}
	switch code[:2] {
	case "08", "28", "3D", "53", "58": // connection, authorization, database name, resources, system
		return true
	}
	return false
}
