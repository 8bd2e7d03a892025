package scoring

import (
	"context"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/claimsync/claimsync/db"
)

const (
	// dueBatch is how many organizations one transaction calculates: their rows are locked meanwhile, for some 30 ms.
	dueBatch = 100
	// dueEvery is how often is looked for what is due. It costs two looks into an index.
	dueEvery = time.Second
	// DefaultRecalculators is how many transactions of a process calculate at once what is due.
	DefaultRecalculators = 2
	// dueLockTimeout bounds how long a batch waits for a row of the outbox that somebody does not let go.
	dueLockTimeout = "1s"

	// An organization that cannot be calculated is tried again after asideFirst, and twice as long each time, up to
	// asideMost: whatever it is that meets them all, a moment after it is over they are calculated.
	asideFirst = 10 * time.Second
	asideMost  = 5 * time.Minute
	// asideLocked is until one is tried again of which somebody holds a row.
	asideLocked = 2 * time.Second
)

// RecalculatorConfig configures a Recalculator.
type RecalculatorConfig struct {
	// Pool is the database. Required.
	Pool *pgxpool.Pool

	// Store calculates. Required.
	Store *Store

	// Workers is how many transactions calculate at once. Defaults to DefaultRecalculators.
	Workers int

	// Logger gets what cannot be calculated. Defaults to none.
	Logger *slog.Logger

	// Observer is told of each batch. Defaults to none.
	Observer RecalculationObserver
}

// RecalculationObserver is told what is calculated because it was due. Its methods are called concurrently.
type RecalculationObserver interface {
	// Recalculated is called once per batch: how many scores changed, how many did not, and for how long the first of
	// them had been due.
	Recalculated(changed, unchanged int, overdue time.Duration)
	// RecalculationFailed is called for each organization that could not be calculated.
	RecalculationFailed()
}

// Recalculator keeps scores from becoming stale by the passing of time alone: it calculates each again when it is due,
// the organizations whose insurance has run out before all others. Beside that it calculates what foreign writers have
// changed, neither before the other. It is fair to everybody else: between two batches it pauses for as long as the last one
// took.
type Recalculator struct {
	config RecalculatorConfig

	mu    sync.Mutex
	aside map[string]setAside
}

// setAside is an organization that could not be calculated.
type setAside struct {
	until time.Time
	pause time.Duration
}

// NewRecalculator returns a Recalculator. It starts nothing.
func NewRecalculator(config RecalculatorConfig) *Recalculator {
	if config.Workers == 0 {
		config.Workers = DefaultRecalculators
	}
	if config.Logger == nil {
		config.Logger = slog.New(slog.DiscardHandler)
	}
	if config.Observer == nil {
		config.Observer = noRecalculationObserver{}
	}
	return &Recalculator{config: config, aside: map[string]setAside{}}
}

// Run calculates what is due until ctx is done. Any number of processes may do so. It goes on through failures of the
// database.
func (r *Recalculator) Run(ctx context.Context) {
	var workers sync.WaitGroup
	for range r.config.Workers {
		workers.Go(func() { r.work(ctx, r.config.Store.RecalculateDueTx) })
	}
	workers.Go(func() { r.work(ctx, r.config.Store.RecalculateChangedTx) })
	workers.Wait()
}

// recalculation calculates a batch of what is due for one reason.
type recalculation func(context.Context, pgx.Tx, DueQuery) (Due, error)

// work calculates batch after batch. One that fails is tried again organization by organization, so that one that cannot
// be calculated does not keep the others.
func (r *Recalculator) work(ctx context.Context, recalculate recalculation) {
	alone := 0 // so many are still to be tried alone
	failing := false
	for ctx.Err() == nil {
		started, limit := time.Now(), dueBatch
		if alone > 0 {
			limit = 1
		}
		due, err := r.batch(ctx, recalculate, int32(limit))
		pause := time.Since(started)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil && len(due.IDs) > 1:
			alone = len(due.IDs)
		case err != nil && len(due.IDs) == 1:
			r.setAside(ctx, due.IDs[0], err)
			alone--
			pause = idle()
		case err == nil && len(due.Locked) > 0 && len(due.IDs) == 0: // behind them there may be others
		case err != nil || len(due.IDs) == 0:
			alone = 0
			pause = idle()
		default:
			alone = max(0, alone-1)
		}
		if down := err != nil && len(due.IDs) == 0; down != failing {
			failing = down
			r.logDown(ctx, err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
}

// idle is until is looked again where nothing is due. Random, so that processes do not fall in step.
func idle() time.Duration { return dueEvery - dueEvery/8 + rand.N(dueEvery/4) }

func (r *Recalculator) logDown(ctx context.Context, err error) {
	if err != nil {
		r.config.Logger.ErrorContext(ctx, "Looking for what is due to be recalculated fails", "err", err)
	} else {
		r.config.Logger.InfoContext(ctx, "Looking for what is due to be recalculated works again")
	}
}

// batch calculates a batch in a transaction that waits for nobody long, and tells the observer. On an error, the ids are
// those that were tried.
func (r *Recalculator) batch(ctx context.Context, recalculate recalculation, limit int32) (due Due, err error) {
	var now time.Time
	err = db.Transact(ctx, r.config.Pool, func(tx pgx.Tx) (err error) {
		due = Due{}
		if err := tx.QueryRow(ctx, "SELECT now() FROM set_config('lock_timeout', $1, true)", dueLockTimeout).Scan(&now); err != nil {
			return err
		}
		due, err = recalculate(ctx, tx, DueQuery{Limit: limit, Skipped: r.skipped()})
		return err
	})
	if err == nil && len(due.IDs) > 0 {
		r.config.Observer.Recalculated(due.Changed, len(due.IDs)-due.Changed, now.Sub(due.DueAt))
	}
	if err == nil {
		r.leave(due.Locked)
	}
	return due, err
}

// leave leaves organizations to those who have locked them, for a moment.
func (r *Recalculator) leave(ids []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, id := range ids {
		r.aside[id] = setAside{until: time.Now().Add(asideLocked), pause: r.aside[id].pause}
	}
}

// setAside leaves an organization for a while.
func (r *Recalculator) setAside(ctx context.Context, id string, err error) {
	if db.Code(err) == lockNotAvailable { // somebody holds what it needs, which is no fault of its own
		r.leave([]string{id})
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	pause := min(max(asideFirst, 2*r.aside[id].pause), asideMost)
	r.aside[id] = setAside{until: time.Now().Add(pause), pause: pause}
	r.config.Observer.RecalculationFailed()
	r.config.Logger.ErrorContext(ctx, "Organization is due and cannot be recalculated", "organization_id", id,
		"again_in", pause, "err", err)
}

// skipped returns what is left for now, and forgets what failed long ago.
func (r *Recalculator) skipped() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	maps.DeleteFunc(r.aside, func(_ string, a setAside) bool { return now.After(a.until.Add(2 * asideMost)) })
	var ids []string
	for id, a := range r.aside {
		if now.Before(a.until) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

type noRecalculationObserver struct{}

func (noRecalculationObserver) Recalculated(int, int, time.Duration) {}
func (noRecalculationObserver) RecalculationFailed()                 {}
