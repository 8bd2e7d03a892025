package main

import (
	"context"
	"fmt"
	"math/rand/v2"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/claimsync/claimsync"
	"github.com/claimsync/claimsync/internal/plainjobs"
	"github.com/claimsync/claimsync/outbox"
)

// transaction is what a change costs the transaction that makes it, in various ways.
type transaction struct {
	turns         turns
	connections   []int
	organizations int // so many, or fewer, are changed in a turn, each once
	promise       func(ratio float64) float64
}

// The ways, by their names in the report.
const (
	noOutbox         = "the score alone"
	anotherRow       = "score and an UPDATE of one more row"
	marked           = "score and mark"
	plainRiver       = "score and a unique River job"
	markedDirty      = "score and mark, where a push waits already"
	pipelined        = "score and mark in one batch"
	pipelinedWithout = "the score alone in one batch"
)

func (s transaction) run(ctx context.Context, b *bench) ([]bound, error) {
	config := fleetConfig{organizations: s.organizations, clerk: clerkOf(production)}
	return b.withFleet(ctx, config, func(f *fleet) (bounds []bound, err error) {
		if err := f.forgetMarks(ctx); err != nil {
			return nil, err
		}
		err = f.exec(ctx, "CREATE TABLE another AS SELECT key, 0 AS changes FROM outbox")
		if err == nil {
			err = f.exec(ctx, "ALTER TABLE another ADD PRIMARY KEY (key)")
		}
		if err != nil {
			return nil, err
		}
		for _, connections := range s.connections {
			more, err := s.compare(ctx, f, connections)
			if err != nil {
				return nil, err
			}
			bounds = append(bounds, more...)
		}
		return bounds, nil
	})
}

func (s transaction) compare(ctx context.Context, f *fleet, connections int) ([]bound, error) {
	pool, err := f.openPool(ctx, connections+1) // one is for the announcements
	if err != nil {
		return nil, err
	}
	defer pool.Close()
	plain, err := plainjobs.NewInserter(pool)
	if err != nil {
		return nil, err
	}
	w := writers{fleet: f, pool: pool, plain: plain, keys: rand.Perm(s.organizations)}
	ctx, cancel := context.WithCancel(ctx)
	announcing := make(chan error, 1)
	go func() { announcing <- f.outbox.Announce(ctx, pool) }()
	results, err := s.turns.take(ctx, connections, w.variants())
	cancel()
	if stopped := <-announcing; err == nil && stopped != nil && ctx.Err() == nil {
		err = stopped
	}
	if err != nil {
		return nil, err
	}
	return s.bounds(results, connections), nil
}

func (s transaction) bounds(results map[string]*measured, connections int) []bound {
	base := results[noOutbox]
	of := func(what string) string { return fmt.Sprintf("%d connections: %s", connections, what) }
	bounds := []bound{
		{what: of(noOutbox + ", transactions per second"), seen: base.median()},
		atLeastRatio(s.promise(0.52), of(marked+", to that"), results[marked].to(base)),
		atLeastRatio(s.promise(1.2), of("… to "+plainRiver), results[marked].to(results[plainRiver])),
		atLeastRatio(s.promise(0.75), of(markedDirty), results[markedDirty].to(base)),
		atLeastRatio(s.promise(0.72), of(pipelined), results[pipelined].to(base)),
		atLeastRatio(s.promise(1.7), of("… to "+plainRiver), results[pipelined].to(results[plainRiver])),
		{what: of(anotherRow), seen: results[anotherRow].to(base).median()},
		{what: of(plainRiver), seen: results[plainRiver].to(base).median()},
		{what: of(pipelinedWithout), seen: results[pipelinedWithout].to(base).median()},
	}
	for _, percent := range []float64{50, 99} {
		alone := base.latencies.percentile(percent)
		added := func(name string) bound {
			what := fmt.Sprintf("%s, added to the %s of %g %%", name, trimmed(1000*alone.Seconds(), 1)+" ms", percent)
			return told(of(what), trimmed(1000*(results[name].latencies.percentile(percent).Seconds()-alone.Seconds()), 1)+" ms")
		}
		bounds = append(bounds, added(marked), added(plainRiver), added(pipelined))
	}
	return bounds
}

// writers change organizations, each of them once in a turn.
type writers struct {
	fleet *fleet
	pool  *pgxpool.Pool
	plain *plainjobs.Inserter
	keys  []int // in no order
}

// changeScore is what all of them do: what storing a calculation is.
const changeScore = `
	UPDATE organizations SET compliance_score = (coalesce(compliance_score, 0) + 1) % 101, insurance_valid = true,
		documentation_score = 0, insurance_score = 0, personnel_score = 0, audit_score = 0, calculated_at = clock_timestamp()
	WHERE id = $1`

func (w *writers) variants() []variant {
	return []variant{
		w.inTransaction(noOutbox, w.clean, func(context.Context, pgx.Tx, string) error { return nil }),
		w.inTransaction(anotherRow, w.clean, func(ctx context.Context, tx pgx.Tx, key string) error {
			_, err := tx.Exec(ctx, "UPDATE another SET changes = changes + 1 WHERE key = $1", key)
			return err
		}),
		w.inTransaction(marked, w.clean, w.mark),
		w.inTransaction(plainRiver, w.clean, func(ctx context.Context, tx pgx.Tx, key string) error { return w.plain.AnnounceTx(ctx, tx, key) }),
		w.inTransaction(markedDirty, w.dirty, w.mark),
		w.inBatch(pipelined, func(ctx context.Context, batch *pgx.Batch, key string) error {
			return w.fleet.outbox.QueueMark(ctx, batch, w.fleet.waker, claimsync.Topic, outbox.PriorityLive, key)
		}),
		w.inBatch(pipelinedWithout, func(context.Context, *pgx.Batch, string) error { return nil }),
	}
}

func (w *writers) mark(ctx context.Context, tx pgx.Tx, key string) error {
	return w.fleet.outbox.MarkTx(ctx, tx, w.fleet.waker, claimsync.Topic, outbox.PriorityLive, key)
}

// inTransaction changes scores between BEGIN and COMMIT, and does more there.
func (w *writers) inTransaction(
	name string, before func(context.Context) error, more func(ctx context.Context, tx pgx.Tx, key string) error,
) variant {
	return variant{name: name, before: before, do: func(ctx context.Context, n int) error {
		id, key := w.pick(n)
		return pgx.BeginFunc(ctx, w.pool, func(tx pgx.Tx) error {
			if _, err := tx.Exec(ctx, changeScore, id); err != nil {
				return err
			}
			return more(ctx, tx, key)
		})
	}}
}

// inBatch changes scores in a batch that is a transaction.
func (w *writers) inBatch(name string, more func(ctx context.Context, batch *pgx.Batch, key string) error) variant {
	return variant{name: name, before: w.clean, do: func(ctx context.Context, n int) error {
		id, key := w.pick(n)
		batch := &pgx.Batch{}
		batch.Queue(changeScore, id)
		if err := more(ctx, batch, key); err != nil {
			return err
		}
		return w.pool.SendBatch(ctx, batch).Close()
	}}
}

// pick is the n-th organization of a turn. One that is so short of them that it starts over would measure something else.
func (w *writers) pick(n int) (id, key string) {
	i := w.keys[n%len(w.keys)]
	return fmt.Sprintf("o%d", i), fmt.Sprintf("org_%d", i)
}

// clean makes all organizations clean.
func (w *writers) clean(ctx context.Context) error { return w.fleet.resetMarks(ctx) }

// dirty marks all organizations, with a job each.
func (w *writers) dirty(ctx context.Context) error {
	if err := w.clean(ctx); err != nil {
		return err
	}
	return pgx.BeginFunc(ctx, w.pool, func(tx pgx.Tx) error { return w.fleet.announce(ctx, tx, w.fleet.keys) })
}
