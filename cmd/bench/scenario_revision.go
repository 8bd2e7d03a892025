package main

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/claimsync/claimsync/scoring"
)

// revision is one organization's calculation in a transaction of its own: with the outbox, and without.
type revision struct {
	turns         turns
	connections   int
	organizations int // so many, or fewer, are calculated in a turn, each once
	promise       func(ratio float64) float64
}

func (s revision) run(ctx context.Context, b *bench) ([]bound, error) {
	return b.withFleet(ctx, fleetConfig{clerk: clerkOf(production)}, func(f *fleet) ([]bound, error) {
		if err := f.populate(ctx, s.organizations, true); err != nil {
			return nil, err
		}
		if err := f.forgetMarks(ctx); err != nil {
			return nil, err
		}
		ids, err := query[[]string](ctx, f, `SELECT array_agg(id ORDER BY random()) FROM organizations WHERE clerk_org_id IS NOT NULL`)
		if err != nil {
			return nil, err
		}
		pool, err := f.openPool(ctx, s.connections)
		if err != nil {
			return nil, err
		}
		defer pool.Close()

		const with, without = "with the outbox", "without"
		r := revisions{fleet: f, pool: pool, ids: ids}
		results, err := s.turns.take(ctx, s.connections, []variant{
			r.by(with, f.store),
			r.by(without, scoring.NewStore(markNothing{}, slog.New(slog.DiscardHandler))),
		})
		if err != nil {
			return nil, err
		}
		of := func(what string) string {
			return fmt.Sprintf("%d connections: calculated and stored %s", s.connections, what)
		}
		return []bound{
			{what: of(without + ", organizations per second"), seen: results[without].median()},
			atLeastRatio(s.promise(0.9), of(with+", to that"), results[with].to(results[without])),
			took(of(with+", half of them within"), results[with].latencies.percentile(50)),
			took(of(without+", half of them within"), results[without].latencies.percentile(50)),
		}, nil
	})
}

// revisions calculates organizations whose score changes by that, each of them once in a turn.
type revisions struct {
	fleet *fleet
	pool  *pgxpool.Pool
	ids   []string
}

func (r revisions) by(name string, store *scoring.Store) variant {
	return variant{name: name, before: r.outdate, do: func(ctx context.Context, n int) error {
		if n >= len(r.ids) {
			return fmt.Errorf("there are only %d organizations for a turn", len(r.ids))
		}
		_, _, err := store.Recalculate(ctx, r.pool, r.ids[n], time.Time{})
		return err
	}}
}

// outdate makes every stored score another one than a calculation has, and every organization clean.
func (r revisions) outdate(ctx context.Context) error {
	rand.Shuffle(len(r.ids), func(i, j int) { r.ids[i], r.ids[j] = r.ids[j], r.ids[i] })
	err := r.fleet.exec(ctx, `UPDATE organizations SET compliance_score = (compliance_score + 1) % 101 WHERE compliance_score IS NOT NULL`)
	if err != nil {
		return err
	}
	return r.fleet.resetMarks(ctx)
}

// markNothing is no outbox.
type markNothing struct{}

func (markNothing) QueueMarks(context.Context, *pgx.Batch, scoring.Urgency, scoring.Changed) error {
	return nil
}
