package housekeeping

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/claimsync/claimsync/db/dbtest"
)

func TestMain(m *testing.M) { dbtest.Main(m) }

const topic = "things"

// house is a database in which something may be old.
type house struct {
	t    *testing.T
	pool *pgxpool.Pool
}

func newHouse(t *testing.T) *house {
	t.Helper()
	t.Parallel()
	h := &house{t, dbtest.New(t)}
	h.exec(`INSERT INTO outbox (topic, key, synced_version) VALUES ($1, 'a', 1), ($1, 'b', 1)`, topic)
	return h
}

// keeper keeps everything for an hour.
func (h *house) keeper(edits ...func(*Config)) *Keeper {
	h.t.Helper()
	config := Config{
		Pool: h.pool, Topic: topic, Logger: slog.New(slog.DiscardHandler),
		Retention: Retention{time.Hour, time.Hour, time.Hour, time.Hour, time.Hour},
	}
	for _, edit := range edits {
		edit(&config)
	}
	return New(config)
}

// inBatches makes batches small.
func inBatches(of int32) func(*Config) { return func(c *Config) { c.Batch = of } }

// deliver logs so many deliveries of that age, by key a, all at different instants.
func (h *house) deliver(n int, age time.Duration) {
	h.t.Helper()
	h.exec(`INSERT INTO outbox_delivery (topic, key, version, outcome, duration, finished_at)
		SELECT $1, 'a', i, 'applied', interval '1 ms', now() - $3::interval - i * interval '1 ms' FROM generate_series(1, $2::int) AS i`,
		topic, n, age)
}

// keepNow makes it time.
func (h *house) keepNow(k *Keeper) {
	h.t.Helper()
	h.exec(`UPDATE housekeeping SET next_at = now()`)
	h.must(k.Round(h.t.Context()))
}

func (h *house) exec(sql string, args ...any) {
	h.t.Helper()
	if _, err := h.pool.Exec(h.t.Context(), sql, args...); err != nil {
		h.t.Fatalf("%s: %v", sql, err)
	}
}

func (h *house) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

// expect compares the column of rows that a query answers with.
func (h *house) expect(what, sql string, want ...string) {
	h.t.Helper()
	rows, err := h.pool.Query(h.t.Context(), sql)
	h.must(err)
	got, err := pgx.CollectRows(rows, pgx.RowTo[string])
	h.must(err)
	if diff := cmp.Diff(append([]string{}, want...), got); diff != "" {
		h.t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func (h *house) count(sql string) (n int) {
	h.t.Helper()
	h.must(h.pool.QueryRow(h.t.Context(), sql).Scan(&n))
	return n
}

// until waits for a condition, for longer than a busy machine takes.
func (h *house) until(what string, condition func() bool) {
	h.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !condition(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			h.t.Fatalf("waited in vain until %s", what)
		}
	}
}

// lock holds what the statement locks, until the returned function is called or the test ends.
func (h *house) lock(sql string) (release func()) {
	h.t.Helper()
	tx, err := h.pool.Begin(h.t.Context())
	h.must(err)
	_, err = tx.Exec(h.t.Context(), sql)
	h.must(err)
	release = func() { _ = tx.Rollback(context.Background()) }
	h.t.Cleanup(release)
	return release
}
