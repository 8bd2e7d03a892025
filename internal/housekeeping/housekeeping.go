// Package housekeeping deletes what has become old: the delivery log, the operator log, what Clerk's events and the plot
// of activity leave behind, processes that died. It is in nobody's way: one process of the fleet is at it at a time,
// deletes in small batches, rests after each as long as it took, and waits for no row that is locked.
package housekeeping

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/claimsync/claimsync/db/dbsqlc"
	"github.com/claimsync/claimsync/internal/recurring"
)

const (
	defaultEvery = 10 * time.Second
	defaultBatch = 1000

	// roundLength is how long a process is at it at most; what is left is the next one's.
	roundLength = 20 * time.Second
	// batchTimeout bounds a batch, which usually takes milliseconds: it may wait for a lock on the whole table.
	batchTimeout = 10 * time.Second
	// turnLength keeps the others away for as long as a round may take. One whose process has died is over after that.
	turnLength = roundLength + batchTimeout + 5*time.Second
)

// Forever, as a retention, keeps everything.
const Forever time.Duration = -1

// Retention is how long what is kept.
type Retention struct {
	Deliveries, Activity, OperatorLog, Events, Processes time.Duration
}

// Config is what a [Keeper] works with.
type Config struct {
	// Pool is the database. Required.
	Pool *pgxpool.Pool

	// Topic is whose activity goes. Required.
	Topic string

	// Retention is how long what is kept. Required: what is kept for no time at all is gone.
	Retention Retention

	// Every is how often some process looks for what has become old. Defaults to 10 s.
	Every time.Duration

	// Batch is how many rows a statement deletes at most. Defaults to 1000.
	Batch int32

	// Logger is told, at debug level, what is deleted. Required.
	Logger *slog.Logger
}

// Keeper deletes what has become old.
type Keeper struct {
	config  Config
	queries *dbsqlc.Queries
	round   time.Duration // how long one may take
	timeout time.Duration // of a batch
}

// New returns a Keeper. It does not touch the database.
func New(config Config) *Keeper {
	if config.Every == 0 {
		config.Every = defaultEvery
	}
	if config.Batch == 0 {
		config.Batch = defaultBatch
	}
	return &Keeper{config: config, queries: dbsqlc.New(), round: roundLength, timeout: batchTimeout}
}

// Run deletes what has become old, in turn with the other processes, until ctx is done. It goes on through failures.
func (k *Keeper) Run(ctx context.Context) {
	recurring.Run(ctx, k.config.Logger, "Housekeeping", k.config.Every, k.Round)
}

// Round deletes what is old now, and ends with what has to be left to the next round. It returns recurring.ErrSkipped if it is
// not time, or another process is at it. After a failure the turn is not ended, and passes: the next round is not at once.
func (k *Keeper) Round(ctx context.Context) error {
	turnEnds, err := k.queries.HousekeepingBegin(ctx, k.config.Pool, turnLength)
	if errors.Is(err, pgx.ErrNoRows) {
		return recurring.ErrSkipped
	}
	if err != nil {
		return fmt.Errorf("taking the turn to keep house: %w", err)
	}
	pause := k.config.Every * 7 / 8 // whoever looks after about Every should not find it to be a little too soon
	until := time.Now().Add(k.round)
	var failures []error
	for _, table := range k.tables() { // one that fails keeps none of the others
		done, err := k.clear(ctx, table, until)
		if err != nil {
			failures = append(failures, fmt.Errorf("deleting what is old of %s: %w", table.name, err))
		} else if !done {
			pause = 0
		}
	}
	if len(failures) > 0 {
		return errors.Join(failures...)
	}
	ended := dbsqlc.HousekeepingEndParams{Pause: pause, TurnEnds: turnEnds}
	if err := k.queries.HousekeepingEnd(ctx, k.config.Pool, ended); err != nil {
		return fmt.Errorf("ending the turn to keep house: %w", err)
	}
	return nil
}

// clear deletes what is old of a table, batch by batch; done is false if the time was up before.
func (k *Keeper) clear(ctx context.Context, table table, until time.Time) (done bool, err error) {
	if table.keep == Forever {
		return true, nil
	}
	var since time.Time
	var deleted int64
	begun := time.Now()
	for !done && time.Now().Before(until) {
		var n int64
		n, since, err = k.batch(ctx, table, since)
		if err != nil {
			return false, err
		}
		deleted, done = deleted+n, n < int64(k.config.Batch)
	}
	if deleted > 0 {
		k.config.Logger.DebugContext(ctx, "Deleted what was old",
			"table", table.name, "rows", deleted, "duration", time.Since(begun))
	}
	return done, nil
}

// batch deletes a batch, and rests for as long as that took if there may be more.
func (k *Keeper) batch(ctx context.Context, table table, since time.Time) (deleted int64, last time.Time, err error) {
	begun := time.Now()
	bounded, cancel := context.WithTimeout(ctx, k.timeout)
	defer cancel()
	deleted, last, err = table.prune(bounded, since)
	if err != nil || deleted < int64(k.config.Batch) {
		return deleted, last, err
	}
	return deleted, last, rest(ctx, time.Since(begun))
}

// rest returns after d, or with ctx's error if that ends before.
func rest(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
