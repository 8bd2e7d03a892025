package torture

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
)

// witness has writers that remember, outside of the database that is to crash, which changes they were told are
// committed. Each changes one organization at a time; the database may fail.
type witness struct {
	f      *fleet
	cancel context.CancelFunc
	wg     sync.WaitGroup
	failed atomic.Int64

	mu   sync.Mutex
	keys []string // of the changes that they were told of
	ns   []int64  // the numbers of those
}

// witness starts writers that change some organizations.
func (f *fleet) witness(among []string, writers int, breath time.Duration, seed uint64) *witness {
	ctx, cancel := context.WithCancel(f.t.Context())
	w := &witness{f: f, cancel: cancel}
	for i := range writers {
		random := rand.New(rand.NewPCG(seed, uint64(1000+i)))
		w.wg.Go(func() {
			for ctx.Err() == nil {
				w.change(ctx, among[random.IntN(len(among))])
				pause(ctx, time.Duration(random.Float64()*2*float64(breath)))
			}
		})
	}
	f.t.Cleanup(w.stop)
	return w
}

// stop ends the writers, each after the transaction it is in.
func (w *witness) stop() {
	w.cancel()
	w.wg.Wait()
}

func (w *witness) change(ctx context.Context, key string) {
	var n int64
	// Neither cut short by the end of the run, nor waiting for a database that does not answer any more.
	patient, cancel := context.WithTimeout(context.WithoutCancel(ctx), recovery)
	defer cancel()
	err := pgx.BeginFunc(patient, w.f.pool, func(tx pgx.Tx) error {
		if err := w.f.changeTx(patient, tx, []string{key}, false); err != nil {
			return err
		}
		return tx.QueryRow(patient, "SELECT n FROM tally WHERE key = $1", key).Scan(&n)
	})
	if err != nil {
		w.failed.Add(1)
		pause(ctx, 20*time.Millisecond)
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.keys, w.ns = append(w.keys, key), append(w.ns, n)
}

// told is how many changes the writers were told of.
func (w *witness) told() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.keys)
}

// lost is how many of the changes that the writers were told of the database does not have.
func (w *witness) lost() int {
	w.f.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	return query[int](w.f, `SELECT count(*) FROM unnest($1::text[], $2::bigint[]) AS told (key, n)
		WHERE NOT EXISTS (SELECT FROM change AS c WHERE (c.key, c.n) = (told.key, told.n))`, w.keys, w.ns)
}
