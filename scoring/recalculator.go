package scoring

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// DefaultRecalculators is how many transactions of a process calculate at once what is due.
const DefaultRecalculators = 2

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
	aside  aside
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
	return &Recalculator{config: config, aside: aside{left: map[string]leftAside{}}}
}

// Run calculates what is due until ctx is done. Any number of processes may do so. It goes on through failures of the
// database.
func (r *Recalculator) Run(ctx context.Context) {
	var workers sync.WaitGroup
	for range r.config.Workers {
		workers.Go(func() { r.work(ctx, r.config.Store.RecalculateDueTx) })
	}
	workers.Go(func() { r.work(ctx, r.config.Store.RecalculateChangedTx) })
	workers.Go(func() { r.work(ctx, r.config.Store.RecalculateContendedTx) })
	workers.Wait()
}

type noRecalculationObserver struct{}

func (noRecalculationObserver) Recalculated(int, int, time.Duration) {}
func (noRecalculationObserver) RecalculationFailed()                 {}
