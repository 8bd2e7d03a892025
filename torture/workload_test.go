package torture

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/claimsync/claimsync"
	"github.com/claimsync/claimsync/db"
)

// The writers number the committed changes of each organization, under the lock of its tally, and write the number into
// the claims themselves: what arrives at Clerk tells which change it is of, whatever the outbox says about versions.
const schema = `
	CREATE TABLE tally (key text PRIMARY KEY, n bigint NOT NULL);
	CREATE TABLE change (
		key text NOT NULL, n bigint NOT NULL, version bigint NOT NULL, at timestamptz NOT NULL DEFAULT clock_timestamp(),
		PRIMARY KEY (key, n)
	)`

// The claims of change n; after codes changes they repeat. A transaction that is going to be rolled back writes the tier
// that a committed one never does.
const (
	codes          = 101 * 2 * 2
	committedTiers = `(ARRAY['CERTIFIED', 'MASTER_ROOFER'])[1 + n / 101 % 2]`
	rolledBackTier = "ACCREDITED"
	change         = `
		WITH counted AS (UPDATE tally SET n = n + 1 WHERE key = $1 RETURNING n)
		UPDATE organizations AS o SET
			compliance_score = n % 101, documentation_score = 0, insurance_score = 0, personnel_score = 0, audit_score = 0,
			insurance_valid = n / 202 % 2 = 1, calculated_at = clock_timestamp(), recalculate_at = NULL,
			certification_tier = (CASE WHEN $2 THEN '` + rolledBackTier + `' ELSE ` + committedTiers + ` END)::certification_tier
		FROM counted WHERE o.clerk_org_id = $1
		RETURNING o.id, n`
	recordChange = `
		INSERT INTO change (key, n, version)
		SELECT key, $2, desired_version FROM outbox WHERE topic = '` + claimsync.Topic + `' AND key = $1`
)

// workload is what the writers do.
type workload struct {
	writers       int
	hot           int           // how many organizations get half of the changes; 0: all get the same
	pause         time.Duration // between two changes of a writer
	rolledBack    float64       // share of transactions
	several       float64       // share of transactions that change up to four organizations
	isolated      float64       // share of transactions under REPEATABLE READ and SERIALIZABLE each
	outOfOrder    float64       // share of the transactions with several that lock them in any order
	tolerateFault bool          // the database may fail
}

// load is a running workload.
type load struct {
	f      *fleet
	config workload
	cancel context.CancelFunc
	wg     sync.WaitGroup

	committed, rolledBack, conflicts, failed atomic.Int64
}

var errRollBack = errors.New("rolled back on purpose")

// write starts the writers.
func (f *fleet) write(config workload, seed uint64) *load {
	ctx, cancel := context.WithCancel(f.t.Context())
	l := &load{f: f, config: config, cancel: cancel}
	for i := range config.writers {
		random := rand.New(rand.NewPCG(seed, uint64(i)))
		l.wg.Go(func() {
			for ctx.Err() == nil {
				l.transact(ctx, random)
				pause(ctx, time.Duration(random.Float64()*2*float64(config.pause)))
			}
		})
	}
	f.t.Cleanup(l.stop)
	return l
}

// stop ends the writers, each after the transaction it is in.
func (l *load) stop() {
	l.cancel()
	l.wg.Wait()
}

// transact makes one transaction, again after a conflict, as its owner has to.
func (l *load) transact(ctx context.Context, random *rand.Rand) {
	keys := l.pick(random)
	roll := random.Float64() < l.config.rolledBack
	options := pgx.TxOptions{IsoLevel: l.isolation(random)}
	for ctx.Err() == nil {
		// Not ctx: a transaction is not cut short by the end of the run.
		err := pgx.BeginTxFunc(context.WithoutCancel(ctx), l.f.pool, options, func(tx pgx.Tx) error {
			return l.f.changeTx(context.WithoutCancel(ctx), tx, keys, roll)
		})
		switch code := db.Code(err); {
		case err == nil:
			l.committed.Add(1)
		case errors.Is(err, errRollBack):
			l.rolledBack.Add(1)
		case code == "40001" || code == "40P01":
			l.conflicts.Add(1)
			continue
		default:
			// It may have been committed nevertheless: the database knows.
			l.failed.Add(1)
			if !l.config.tolerateFault {
				l.f.t.Errorf("a writer failed: %v", err)
			}
			pause(ctx, 20*time.Millisecond)
		}
		return
	}
}

// pick chooses the organizations to change.
func (l *load) pick(random *rand.Rand) []string {
	n := 1
	if random.Float64() < l.config.several {
		n = 2 + random.IntN(3)
	}
	keys := make([]string, 0, n)
	seen := map[int]bool{}
	for len(seen) < min(n, len(l.f.keys)) {
		i := random.IntN(len(l.f.keys))
		if l.config.hot > 0 && random.IntN(2) == 0 {
			i = random.IntN(l.config.hot)
		}
		if !seen[i] {
			seen[i] = true
			keys = append(keys, l.f.keys[i])
		}
	}
	if random.Float64() >= l.config.outOfOrder {
		slices.Sort(keys)
	}
	return keys
}

func (l *load) isolation(random *rand.Rand) pgx.TxIsoLevel {
	switch x := random.Float64(); {
	case x < l.config.isolated:
		return pgx.RepeatableRead
	case x < 2*l.config.isolated:
		return pgx.Serializable
	default:
		return pgx.ReadCommitted
	}
}

// changeTx makes the next change of each organization, or one that is never to be seen.
func (f *fleet) changeTx(ctx context.Context, tx pgx.Tx, keys []string, roll bool) error {
	for _, key := range keys {
		var id string
		var n int64
		if err := tx.QueryRow(ctx, change, key, roll).Scan(&id, &n); err != nil {
			return err
		}
		if err := f.announce(ctx, tx, id, key); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, recordChange, key, n); err != nil {
			return err
		}
	}
	if roll {
		return errRollBack
	}
	return nil
}

// announcer tells in a transaction that an organization changed.
type announcer func(ctx context.Context, tx pgx.Tx, id, key string) error

// mark is the outbox.
func (f *fleet) mark(ctx context.Context, tx pgx.Tx, id, _ string) error {
	_, err := f.store.MarkTx(ctx, tx, id)
	return err
}

// changeNow commits the next change of each organization.
func (f *fleet) changeNow(keys ...string) {
	f.t.Helper()
	err := pgx.BeginFunc(f.t.Context(), f.pool, func(tx pgx.Tx) error { return f.changeTx(f.t.Context(), tx, keys, false) })
	if err != nil {
		f.t.Fatal(err)
	}
}

// pause waits, or less if ctx ends.
func pause(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
