package outbox_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/claimsync/claimsync/db/dbtest"
	"github.com/claimsync/claimsync/outbox"
)

// BenchmarkReserve is what the one row of the budget admits, which every call of the fleet updates, were the destination's
// limit no limit. 16 callers ask for slots as fast as they get them.
func BenchmarkReserve(b *testing.B) {
	pool := dbtest.New(b)
	box := outbox.New(fleetOf(1_000_000_000, time.Second))
	b.SetParallelism(8) // times the processors, of which two are usual here
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if r, err := box.Reserve(b.Context(), pool, topic, outbox.PriorityLive, false); err != nil || !r.Granted {
				b.Errorf("%+v, %v", r, err)
				return
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "slots/s")
}

// BenchmarkSweep is what a sweep takes that finds nothing to do: it has to look at every row of the backlog, each with its
// job.
func BenchmarkSweep(b *testing.B) {
	pool := dbtest.New(b)
	box := outbox.New(outbox.Config{})
	dirty := 0
	for _, rows := range []int{10_000, 100_000, 500_000} {
		soil(b, pool, dirty, rows)
		dirty = rows
		b.Run(fmt.Sprint("dirty=", rows), func(b *testing.B) {
			for b.Loop() {
				// Or the pause after the sweep before would keep this one from beginning.
				benchExec(b, pool, "UPDATE destination SET sweep_at = clock_timestamp()")
				if woken, err := box.Sweep(b.Context(), pool, nil, topic, 0); err != nil || woken > 0 {
					b.Fatalf("%d rows were woken that have their jobs, %v", woken, err)
				}
			}
		})
	}
}

// soil makes the backlog larger.
func soil(b *testing.B, pool *pgxpool.Pool, from, to int) {
	b.Helper()
	benchExec(b, pool, `
		WITH job AS (
			INSERT INTO river.river_job (state, queue, kind, args, max_attempts)
			SELECT 'available', $1::text, 'deliver', jsonb_build_object('topic', $1::text, 'key', i::text), 25
			FROM generate_series($2::int, $3::int - 1) AS i RETURNING id, args
		)
		INSERT INTO outbox (topic, key, dirty_since, job_id) SELECT $1::text, args ->> 'key', clock_timestamp(), id FROM job`,
		topic, from, to)
	benchExec(b, pool, "VACUUM ANALYZE")
}

func benchExec(b *testing.B, pool *pgxpool.Pool, sql string, args ...any) {
	b.Helper()
	if _, err := pool.Exec(b.Context(), sql, args...); err != nil {
		b.Fatal(err)
	}
}
