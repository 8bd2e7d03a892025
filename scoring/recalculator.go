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
	// asideMost.
	asideFirst = 10 * time.Second
	asideMost  = time.Hour
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
// the organizations whose insurance has run out before all others. It is fair to everybody else: between two batches it
// pauses for as long as the last one took.
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
		workers.Go(func() { r.work(ctx) })
	}
	workers.Wait()
}

func (r *Recalculator) work(ctx context.Context) {
	failing := false
	for ctx.Err() == nil {
		started := time.Now()
		due, err := r.batch(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil && !failing:
			r.config.Logger.ErrorContext(ctx, "Recalculating what is due fails", "err", err)
		case err == nil && failing:
			r.config.Logger.InfoContext(ctx, "Recalculating what is due works again")
		}
		failing = err != nil

		pause := time.Since(started)
		if len(due.IDs) == 0 || failing {
			pause = dueEvery - dueEvery/8 + rand.N(dueEvery/4)
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
}

// batch calculates a batch, and if that fails each of it alone, so that one that cannot be calculated does not keep the
// others.
func (r *Recalculator) batch(ctx context.Context) (Due, error) {
	due, err := r.recalculate(ctx, func(ctx context.Context, tx pgx.Tx) (Due, error) {
		return r.config.Store.RecalculateDueTx(ctx, tx, DueQuery{Limit: dueBatch, Skipped: r.skipped()})
	})
	if err == nil || ctx.Err() != nil {
		return due, err
	}
	urgency := UrgencyAging
	if due.Lapsed {
		urgency = UrgencyLapse
	}
	failures := map[string]error{}
	for _, id := range due.IDs {
		_, err := r.recalculate(ctx, func(ctx context.Context, tx pgx.Tx) (alone Due, err error) {
			alone.DueAt = due.DueAt
			alone.IDs, alone.Changed, err = r.config.Store.RecalculateManyTx(ctx, tx, urgency, []string{id}, time.Time{})
			return alone, err
		})
		if err != nil {
			failures[id] = err
		}
	}
	if len(due.IDs) == 0 || len(failures) > 1 && len(failures) == len(due.IDs) {
		return due, err // what meets every one of them is no fault of theirs
	}
	for id, err := range failures {
		r.setAside(ctx, id, err)
	}
	return due, nil
}

// recalculate runs fn in a transaction that waits for nobody long, and tells the observer what it did.
func (r *Recalculator) recalculate(
	ctx context.Context, fn func(context.Context, pgx.Tx) (Due, error),
) (due Due, err error) {
	var now time.Time
	err = db.Transact(ctx, r.config.Pool, func(tx pgx.Tx) (err error) {
		if err := tx.QueryRow(ctx, "SELECT now() FROM set_config('lock_timeout', $1, true)", dueLockTimeout).Scan(&now); err != nil {
			return err
		}
		due, err = fn(ctx, tx)
		return err
	})
	if err == nil && len(due.IDs) > 0 {
		r.config.Observer.Recalculated(due.Changed, len(due.IDs)-due.Changed, now.Sub(due.DueAt))
	}
	return due, err
}

// setAside leaves an organization for a while.
func (r *Recalculator) setAside(ctx context.Context, id string, err error) {
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
