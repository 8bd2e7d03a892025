package outbox_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/claimsync/claimsync/outbox"
)

// What a push asks of the database finds rows by their keys, whatever PostgreSQL knows of the tables: their cost is not to
// grow with what is stored.
func TestPushesReadNoTables(t *testing.T) {
	b := newBench(t, outbox.Config{})
	const organizations, together = 5000, 40
	keys := make([]string, organizations)
	for i := range keys {
		keys[i] = fmt.Sprintf("org_%05d", i)
	}
	b.mark(keys...)
	b.exec("UPDATE river.river_job SET state = 'running', attempted_at = clock_timestamp()")
	var leased []outbox.Acknowledgement
	for _, claim := range b.claimEach(keys[:together]...) {
		leased = append(leased, acknowledgement(claim.Lease))
	}
	marked := acknowledgement(b.lease(keys[together]))
	b.mark(keys[together])
	var requests []outbox.ClaimRequest
	for i, key := range keys[1000 : 1000+together] {
		requests = append(requests, outbox.ClaimRequest{Key: key, JobID: int64(i)})
	}
	failure := &outbox.Failure{Action: outbox.Retry, Err: errors.New("busy")}

	steps := map[string]func(ctx context.Context, tx pgx.Tx) error{
		"mark": func(ctx context.Context, tx pgx.Tx) error {
			return b.box.MarkTx(ctx, tx, b.waker, topic, outbox.PriorityLive, keys[2000:2000+together]...)
		},
		"mark what is new": func(ctx context.Context, tx pgx.Tx) error {
			return b.box.MarkTx(ctx, tx, b.waker, topic, outbox.PriorityLive, "another")
		},
		"claim": func(ctx context.Context, tx pgx.Tx) error {
			_, err := b.box.Claim(ctx, tx, topic, keys[1000], 1)
			return err
		},
		"claim together": func(ctx context.Context, tx pgx.Tx) error {
			_, err := b.box.ClaimEach(ctx, tx, topic, requests)
			return err
		},
		"acknowledge": func(ctx context.Context, tx pgx.Tx) error {
			_, err := b.box.AcknowledgeTx(ctx, tx, b.waker, leased[0])
			return err
		},
		"acknowledge what was marked meanwhile": func(ctx context.Context, tx pgx.Tx) error {
			_, err := b.box.AcknowledgeTx(ctx, tx, b.waker, marked)
			return err
		},
		"acknowledge together": func(ctx context.Context, tx pgx.Tx) error {
			_, err := b.box.AcknowledgeEach(ctx, tx, topic, leased)
			return err
		},
		"release": func(ctx context.Context, tx pgx.Tx) error {
			_, err := b.box.Release(ctx, tx, leased[0].Lease, failure, 0, 0)
			return err
		},
		"park": func(ctx context.Context, tx pgx.Tx) error {
			return b.box.ParkTx(ctx, tx, b.waker, leased[0].Lease, failure, 0)
		},
		"verify": func(ctx context.Context, tx pgx.Tx) error {
			return b.box.VerifyTx(ctx, tx, b.waker, leased[0].Lease, true, outbox.Receipt{Status: 200}, 0)
		},
		"complete a job": func(ctx context.Context, tx pgx.Tx) error {
			return b.box.CompleteJobTx(ctx, tx, leased[0].Lease.JobID)
		},
	}
	for _, known := range []bool{false, true} {
		if known {
			b.exec("ANALYZE")
		}
		for name, step := range steps {
			t.Run(fmt.Sprintf("%s, analyzed %t", name, known), func(t *testing.T) {
				// PostgreSQL makes the plan that it keeps when a statement has run five times.
				for range 6 {
					if diff := cmp.Diff(map[string]int{}, tablesRead(t, b, step)); diff != "" {
						t.Fatalf("tables read from beginning to end (-want +got):\n%s", diff)
					}
				}
			})
		}
	}
}

// tablesRead is how often the step reads which tables from beginning to end, but for destination, which has one row.
func tablesRead(t *testing.T, b *bench, step func(context.Context, pgx.Tx) error) map[string]int {
	t.Helper()
	read := func(tx pgx.Tx) (counts map[string]int, err error) {
		rows, err := tx.Query(t.Context(), "SELECT relname, seq_scan FROM pg_stat_xact_user_tables WHERE relname <> 'destination'")
		if err != nil {
			return nil, err
		}
		counts = map[string]int{}
		var table string
		var scans int
		_, err = pgx.ForEachRow(rows, []any{&table, &scans}, func() error { counts[table] = scans; return nil })
		return counts, err
	}
	scans, undone := map[string]int{}, errors.New("undone")
	err := pgx.BeginFunc(t.Context(), b.pool, func(tx pgx.Tx) error {
		before, err := read(tx)
		if err != nil {
			return err
		}
		if err := step(t.Context(), tx); err != nil {
			return err
		}
		after, err := read(tx)
		for table, count := range after {
			if n := count - before[table]; n > 0 {
				scans[table] = n
			}
		}
		return errors.Join(err, undone)
	})
	if !errors.Is(err, undone) {
		t.Fatal(err)
	}
	return scans
}
