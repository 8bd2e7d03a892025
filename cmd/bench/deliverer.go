package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"github.com/claimsync/claimsync"
	"github.com/claimsync/claimsync/outbox"
)

// deliverer takes rows of the outbox through all steps of a delivery, but for the call of a destination.
type deliverer struct {
	fleet  *fleet
	s      million
	outbox *outbox.Outbox
	begun  time.Time
	next   atomic.Int64 // the number of the delivery that is begun next
	locked atomic.Int64 // claims that met a lock

	mu     sync.Mutex
	done   int
	tenths []tenth
	tenth  tenth // that is under way
}

// tenth is what was seen in a tenth of all deliveries.
type tenth struct {
	marks, acknowledgements latencies

	took  time.Duration
	ended time.Duration      // since the first delivery
	size  map[string]float64 // of tables with their indexes, in megabytes
	dead  map[string]int
	kept  int     // deliveries
	hot   float64 // percent of the updates of outbox, since the beginning
}

// hotTables are those that are written all the time.
var hotTables = []string{"outbox", "outbox_delivery"}

func newDeliverer(f *fleet, s million) *deliverer {
	return &deliverer{fleet: f, s: s, outbox: outbox.New(outbox.Config{})}
}

// deliver makes all deliveries.
func (d *deliverer) deliver(ctx context.Context) error {
	d.begun = time.Now()
	group, ctx := errgroup.WithContext(ctx)
	for worker := range d.s.workers {
		group.Go(func() error {
			for {
				n := d.next.Add(1)
				if n > int64(d.s.deliveries) {
					return nil
				}
				if err := sleepUntil(ctx, d.begun.Add(time.Duration(n)*time.Second/time.Duration(d.s.rate))); err != nil {
					return err
				}
				// Its own keys: two at one row are not what is measured.
				own := len(d.fleet.keys) / d.s.workers
				if err := d.one(ctx, d.fleet.keys[worker*own+rand.IntN(own)]); err != nil {
					return err
				}
			}
		})
	}
	return group.Wait()
}

// one makes a delivery of the key.
func (d *deliverer) one(ctx context.Context, key string) error {
	begun := time.Now()
	err := pgx.BeginFunc(ctx, d.fleet.pool, func(tx pgx.Tx) error {
		return d.outbox.MarkTx(ctx, tx, d, claimsync.Topic, outbox.PriorityLive, key)
	})
	if err != nil {
		return err
	}
	marked := time.Now()
	lease, err := d.claim(ctx, key)
	if err != nil {
		return err
	}
	claimed := time.Now()
	err = pgx.BeginFunc(ctx, d.fleet.pool, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `DELETE FROM river.river_job AS j USING outbox AS o
			WHERE o.topic = $1 AND o.key = $2 AND j.id = o.job_id`, claimsync.Topic, key)
		if err != nil {
			return err
		}
		_, err = d.outbox.AcknowledgeTx(ctx, tx, d, outbox.Acknowledgement{Lease: lease, Receipt: receipt, Duration: time.Millisecond})
		return err
	})
	if err != nil {
		return err
	}
	return d.count(ctx, marked.Sub(begun), time.Since(claimed))
}

// claim claims the row, as often as a lock is in the way: not on the row, which nobody else has, but on the table.
func (d *deliverer) claim(ctx context.Context, key string) (outbox.Lease, error) {
	for {
		claim, err := d.outbox.Claim(ctx, d.fleet.pool, claimsync.Topic, key, 0)
		switch {
		case err != nil:
			return outbox.Lease{}, err
		case claim.Verdict == outbox.Claimed:
			return claim.Lease, nil
		case claim.Verdict != outbox.Locked:
			return outbox.Lease{}, fmt.Errorf("claiming %s: %s", key, claim.Verdict)
		}
		d.locked.Add(1)
	}
}

// receipt is as long as Clerk's are.
var receipt = outbox.Receipt{
	Status: 200, TraceID: strings.Repeat("0", 32),
	Applied: json.RawMessage(`{"certification_tier":"CERTIFIED","compliance_score":87,"insurance_valid":true}`),
}

// WakeUp is a job that nobody works: the deliverer is quicker than any job would be, and deletes it.
func (*deliverer) WakeUp(context.Context) (outbox.WakeUp, error) {
	return outbox.WakeUp{Kind: "bench", MaxAttempts: 1}, nil
}

// count counts a delivery, and looks at the tables after each tenth; the others wait meanwhile.
func (d *deliverer) count(ctx context.Context, mark, acknowledge time.Duration) (err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.tenth.marks = append(d.tenth.marks, mark)
	d.tenth.acknowledgements = append(d.tenth.acknowledgements, acknowledge)
	d.done++
	if d.done%(d.s.deliveries/10) != 0 {
		return nil
	}
	d.tenth.ended = time.Since(d.begun)
	d.tenth.took = d.tenth.ended
	if n := len(d.tenths); n > 0 {
		d.tenth.took -= d.tenths[n-1].ended
	}
	slices.Sort(d.tenth.marks)
	slices.Sort(d.tenth.acknowledgements)
	if err = d.tenth.look(ctx, d.fleet); err == nil {
		d.tenths = append(d.tenths, d.tenth)
		d.tenth = tenth{}
	}
	return err
}

// look looks at the tables.
func (t *tenth) look(ctx context.Context, f *fleet) (err error) {
	t.size, t.dead = map[string]float64{}, map[string]int{}
	for _, table := range hotTables {
		if t.size[table], err = query[float64](ctx, f, `SELECT pg_total_relation_size($1::text::regclass) / 1e6`, table); err != nil {
			return err
		}
		t.dead[table], err = query[int](ctx, f, `SELECT n_dead_tup FROM pg_stat_user_tables WHERE relname = $1`, table)
		if err != nil {
			return err
		}
	}
	if t.kept, err = query[int](ctx, f, `SELECT count(*) FROM outbox_delivery`); err != nil {
		return err
	}
	t.hot, err = query[float64](ctx, f, `SELECT 100.0 * n_tup_hot_upd / greatest(1, n_tup_upd) FROM pg_stat_user_tables WHERE relname = 'outbox'`)
	return err
}

func (t tenth) String() string {
	text := fmt.Sprintf("%.0f/s; 50 and 99 %%: mark %s %s, acknowledge %s %s",
		float64(len(t.marks))/t.took.Seconds(), milliseconds(t.marks, 50), milliseconds(t.marks, 99),
		milliseconds(t.acknowledgements, 50), milliseconds(t.acknowledgements, 99))
	for _, table := range hotTables {
		text += fmt.Sprintf("; %s %.1f MB, %d dead", table, t.size[table], t.dead[table])
	}
	return text
}

func milliseconds(of latencies, percent float64) string {
	return fmt.Sprintf("%.1f ms", of.percentile(percent).Seconds()*1000)
}
