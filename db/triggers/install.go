package triggers

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/claimsync/claimsync/db"
	"github.com/claimsync/claimsync/db/dbsqlc"
)

const (
	// lockTimeout bounds how long a table's writers wait behind us, while we wait for a transaction that has written it.
	// Longer than deadlock_timeout, after which an autovacuum gives way.
	lockTimeout = "2s"
	// installTries is how often a table is tried, and installPause how long its writers have for themselves in between.
	installTries = 10
	installPause = 2 * time.Second
	// installLock is the key of the advisory lock that makes concurrent installations take turns ("claimsyt" in ASCII).
	installLock int64 = 0x636c61696d737974

	lockNotAvailable = "55P03"
)

// Conn is what runs several transactions: a pool or a connection.
type Conn interface {
	db.Beginner
	dbsqlc.DBTX
}

// Action says what was done to a table.
type Action string

// The actions.
const (
	ActionInstalled Action = "installed"
	ActionReplaced  Action = "replaced" // some were missing, of another version, or switched off
	ActionRemoved   Action = "removed"
	ActionNone      Action = "unchanged"
	ActionSkipped   Action = "skipped" // it is a view
)

// Change is what was done to a table.
type Change struct {
	Table  string
	Action Action
}

// Install makes all triggers as they should be, and switches on those that are not. It does nothing where there is nothing
// to do, and may run beside anything: each table is locked for some milliseconds, for writers only, in a transaction of
// its own that waits no longer than 2 s for others to end theirs, and tries again. On an error, the changes are those that
// were made until then; what is left another call does. It knows nothing of what others have written before: recalculate
// everything once.
func Install(ctx context.Context, conn Conn) ([]Change, error) {
	return eachTable(ctx, conn, "installing the triggers of", (*place).installTx)
}

// Remove removes all triggers, as Install makes them. What is in the queue is done all the same.
func Remove(ctx context.Context, conn Conn) ([]Change, error) {
	return eachTable(ctx, conn, "removing the triggers of", (*place).removeTx)
}

func eachTable(
	ctx context.Context, conn Conn, what string, do func(*place, context.Context, pgx.Tx) (Action, error),
) ([]Change, error) {
	places, err := find(ctx, conn)
	if err != nil {
		return nil, err
	}
	var changes []Change
	for _, p := range places {
		action := ActionSkipped
		if p.ordinary {
			err = patiently(ctx, func() error {
				return db.Transact(ctx, conn, func(tx pgx.Tx) (err error) {
					const turn = "SELECT pg_advisory_xact_lock($2) FROM set_config('lock_timeout', $1, true)"
					if _, err := tx.Exec(ctx, turn, lockTimeout, installLock); err != nil {
						return err
					}
					action, err = do(&p, ctx, tx)
					return err
				})
			})
		}
		if err != nil {
			return changes, fmt.Errorf("%s %s: %w", what, p.name, err)
		}
		changes = append(changes, Change{Table: p.name, Action: action})
	}
	return changes, nil
}

// patiently tries again while some transaction holds what is needed.
func patiently(ctx context.Context, try func() error) error {
	for n := 1; ; n++ {
		err := try()
		if db.Code(err) != lockNotAvailable || n == installTries {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(installPause):
		}
	}
}

func (p *place) installTx(ctx context.Context, tx pgx.Tx) (Action, error) {
	before, err := read(ctx, tx, *p)
	if err != nil || all(before, Installed) {
		return ActionNone, err
	}
	sql, _, err := p.render()
	if err != nil {
		return "", err
	}
	// Several statements, which only the simple protocol takes. A trigger that is replaced is enabled again.
	if _, err := tx.Exec(ctx, sql, pgx.QueryExecModeSimpleProtocol); err != nil {
		return "", err
	}
	if all(before, Missing) {
		return ActionInstalled, nil
	}
	return ActionReplaced, nil
}

func (p *place) removeTx(ctx context.Context, tx pgx.Tx) (Action, error) {
	before, err := read(ctx, tx, *p)
	if err != nil || all(before, Missing) {
		return ActionNone, err
	}
	for _, name := range p.triggers {
		if _, err := tx.Exec(ctx, "DROP TRIGGER IF EXISTS "+name+" ON "+p.qualified()); err != nil {
			return "", err
		}
	}
	for _, what := range p.functions {
		if _, err := tx.Exec(ctx, "DROP FUNCTION IF EXISTS "+p.function(what)+"()"); err != nil {
			return "", err
		}
	}
	return ActionRemoved, nil
}
