package scoring_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/claimsync/claimsync/scoring"
)

// trips counts what goes to the database: batches, and statements of their own.
type trips struct{ n int }

func (c *trips) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	c.n++
	return ctx
}

func (c *trips) TraceBatchStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceBatchStartData) context.Context {
	c.n++
	return ctx
}

func (*trips) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData)     {}
func (*trips) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) {}
func (*trips) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData)     {}

// An organization is read and locked in one round trip, calculated, and stored and marked in another; BEGIN and COMMIT are
// no further ones.
func TestRecalculateTakesTwoRoundTrips(t *testing.T) {
	s := newShelf(t)
	s.create("acme", "org_acme")
	s.exec("UPDATE organizations SET compliance_score = 99 WHERE id = 'acme'")
	before := s.versions()["org_acme"]

	config := s.pool.Config()
	counted := &trips{}
	config.ConnConfig.Tracer = counted
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	if err := pool.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	counted.n = 0
	org, result, err := s.Recalculate(t.Context(), pool, "acme", time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	same(t, "round trips", counted.n, 2)
	var stored int
	if err := s.pool.QueryRow(t.Context(), "SELECT compliance_score FROM organizations WHERE id = 'acme'").Scan(&stored); err != nil {
		t.Fatal(err)
	}
	same(t, "what is stored is what was calculated", stored, result.OverallScore)
	same(t, "and returned", org.Score.Overall, result.OverallScore)
	same(t, "marks", s.versions()["org_acme"]-before, 1)

	counted.n = 0
	_, _, err = s.Recalculate(t.Context(), pool, "nobody", time.Time{})
	if !errors.Is(err, scoring.ErrNotFound) {
		t.Errorf("of an organization that does not exist: %v", err)
	}
	same(t, "round trips, to find none and to roll back", counted.n, 2)
}
