package triggers_test

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"github.com/claimsync/claimsync"
	"github.com/claimsync/claimsync/db"
	"github.com/claimsync/claimsync/db/localpg"
	"github.com/claimsync/claimsync/db/triggers"
	"github.com/claimsync/claimsync/jobs"
	"github.com/claimsync/claimsync/scoring"
)

const (
	benchWriters       = 8
	benchOrganizations = 20_000
	benchPolicies      = 100_000
	benchTurn          = 250 * time.Millisecond // of each, before it is the other's
	benchTurns         = 40                     // of each, in each round of b.Loop
)

// bench is a durable server of its own: a commit waits for the disk, as in production. Of its two databases one has the
// triggers.
type bench struct {
	b             *testing.B
	without, with *pgxpool.Pool
}

func newBench(b *testing.B) *bench {
	b.Helper()
	server, err := localpg.Start(b.Context(), localpg.Config{Durable: true, Settings: map[string]string{
		"shared_buffers": "512MB", "max_wal_size": "4GB", "autovacuum": "off",
	}})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := server.Stop(); err != nil {
			b.Error(err)
		}
	})
	bench := &bench{b: b, without: openBench(b, server.DSN())}
	bench.exec(bench.without, "CREATE DATABASE triggered")
	u, err := url.Parse(server.DSN())
	if err != nil {
		b.Fatal(err)
	}
	u.Path = "/triggered"
	bench.with = openBench(b, u.String())
	for _, pool := range []*pgxpool.Pool{bench.without, bench.with} {
		bench.fill(pool)
	}
	if _, err := triggers.Install(b.Context(), bench.with); err != nil {
		b.Fatal(err)
	}
	return bench
}

func openBench(b *testing.B, dsn string) *pgxpool.Pool {
	b.Helper()
	config, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		b.Fatal(err)
	}
	config.MaxConns = benchWriters
	pool, err := pgxpool.NewWithConfig(b.Context(), config)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(pool.Close)
	return pool
}

func (b *bench) fill(pool *pgxpool.Pool) {
	b.b.Helper()
	if err := db.Migrate(b.b.Context(), pool, db.MigrateConfig{}); err != nil {
		b.b.Fatal(err)
	}
	b.exec(pool, fmt.Sprintf(`
		INSERT INTO organizations (id, name, clerk_org_id)
		SELECT 'n' || n, 'N', 'org_' || n FROM generate_series(1, %d) AS n`, benchOrganizations))
	b.exec(pool, fmt.Sprintf(`
		INSERT INTO insurance_policies (organization_id, policy_type, coverage_amount, expiry_date)
		SELECT 'n' || (1 + n %% %d), 'PUBLIC_LIABILITY', 1000000, now()
		FROM generate_series(1, %d) AS n`, benchOrganizations, benchPolicies))
	b.exec(pool, "VACUUM ANALYZE")
}

// of is the same server, for another benchmark on it.
func (b *bench) of(inner *testing.B) *bench {
	return &bench{b: inner, without: b.without, with: b.with}
}

func (b *bench) exec(pool *pgxpool.Pool, sql string) {
	b.b.Helper()
	if _, err := pool.Exec(context.Background(), sql); err != nil {
		b.b.Fatalf("%s: %v", sql, err)
	}
}

// transaction is one of a writer's.
type transaction func(ctx context.Context, conn *pgx.Conn, random *rand.Rand) error

// rate is how many transactions per second so many writers make in a turn.
func (b *bench) rate(pool *pgxpool.Pool, writers int, write transaction) float64 {
	b.b.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	var done atomic.Int64
	var writing sync.WaitGroup
	started := time.Now()
	for w := range writers {
		writing.Go(func() {
			random := rand.New(rand.NewPCG(uint64(started.UnixNano()), uint64(w)))
			err := pool.AcquireFunc(ctx, func(conn *pgxpool.Conn) error {
				for time.Since(started) < benchTurn {
					if err := write(ctx, conn.Conn(), random); err != nil {
						return err
					}
					done.Add(1)
				}
				return nil
			})
			if err != nil {
				b.b.Error(err)
			}
		})
	}
	writing.Wait()
	return float64(done.Load()) / time.Since(started).Seconds()
}

// compare alternates turns without and with triggers, and reports how much slower those with them are: the median of the
// ratios of neighbours, so that a machine that is slow for a while is so for both.
func (b *bench) compare(turns int, turn func(pool *pgxpool.Pool) float64) {
	b.b.Helper()
	var without, with, ratios []float64
	for b.b.Loop() {
		for n := range turns {
			var rates [2]float64
			for i := range 2 {
				which := (n + i) % 2
				rates[which] = turn([]*pgxpool.Pool{b.without, b.with}[which])
			}
			without, with, ratios = append(without, rates[0]), append(with, rates[1]), append(ratios, rates[1]/rates[0])
		}
	}
	b.b.ReportMetric(median(without), "without/s")
	b.b.ReportMetric(median(with), "with/s")
	b.b.ReportMetric(median(ratios), "ratio")
	b.b.ReportMetric(0, "ns/op")
}

// compareRates compares how many transactions so many writers make per second.
func (b *bench) compareRates(writers int, write transaction) {
	b.b.Helper()
	b.compare(benchTurns, func(pool *pgxpool.Pool) float64 { return b.rate(pool, writers, write) })
}

func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}

// writes are statements that change one row, with a random number as their argument.
var writes = []struct {
	name, sql string
	below     int
}{
	{"update-a-policy", "UPDATE insurance_policies SET expiry_date = clock_timestamp() WHERE id = 1 + $1::int", benchPolicies},
	{"insert-a-document", `INSERT INTO documents (organization_id, iso_element, status)
		VALUES ('n' || 1 + $1::int, 'SERVICING', 'DRAFT')`, benchOrganizations},
	{"update-a-tier", `UPDATE organizations SET certification_tier = CASE certification_tier
		WHEN 'CERTIFIED' THEN 'ACCREDITED' ELSE 'CERTIFIED' END::certification_tier WHERE id = 'n' || 1 + $1::int`, benchOrganizations},
	{"update-a-name", "UPDATE organizations SET name = clock_timestamp()::text WHERE id = 'n' || 1 + $1::int", benchOrganizations},
}

// BenchmarkWriters is what the triggers cost those who write, fsync on: transactions per second, each of one statement that
// changes one row, with and without; ratio is with to without. The statement is between BEGIN and COMMIT, as those of ORMs
// are, or alone, which is less work, and the triggers are not. One connection is what a writer notices; eight are what
// a server whose processors have nothing to spare does.
//
//	go test -run '^$' -bench Writers -benchtime 1x ./db/triggers
func BenchmarkWriters(b *testing.B) {
	bench := newBench(b)
	for _, write := range writes {
		alone := func(ctx context.Context, conn db.Querier, random *rand.Rand) error {
			_, err := conn.Exec(ctx, write.sql, random.IntN(write.below))
			return err
		}
		for _, writers := range []int{1, benchWriters} {
			b.Run(fmt.Sprintf("%s/connections=%d", write.name, writers), func(b *testing.B) {
				bench.of(b).compareRates(writers, func(ctx context.Context, conn *pgx.Conn, random *rand.Rand) error {
					return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error { return alone(ctx, tx, random) })
				})
			})
			b.Run(fmt.Sprintf("%s-alone/connections=%d", write.name, writers), func(b *testing.B) {
				bench.of(b).compareRates(writers, func(ctx context.Context, conn *pgx.Conn, random *rand.Rand) error {
					return alone(ctx, conn, random)
				})
			})
		}
	}
}

// BenchmarkOwn is what the triggers cost claimsync's own transactions: a PUT of facts.
func BenchmarkOwn(b *testing.B) {
	bench := newBench(b)
	client, err := river.NewClient(riverpgxv5.New(bench.without), &river.Config{Schema: db.DefaultRiverSchema})
	if err != nil {
		b.Fatal(err)
	}
	synced, err := claimsync.New(claimsync.Config{Pool: bench.without, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	store := synced.Store(jobs.NewWaker(client))
	bench.compareRates(benchWriters, func(ctx context.Context, conn *pgx.Conn, random *rand.Rand) error {
		facts := scoring.Facts{
			Members:     slices.Repeat([]scoring.Member{{Role: scoring.Owner}}, 1+random.IntN(3)),
			Audits:      slices.Repeat([]scoring.Audit{{}}, 1+random.IntN(3)),
			CAPARecords: slices.Repeat([]scoring.CAPARecord{{Status: scoring.CAPAOpen}}, 1+random.IntN(3)),
		}
		return db.Transact(ctx, conn, func(tx pgx.Tx) error {
			_, _, err := store.ReplaceFactsTx(ctx, tx, fmt.Sprint("n", 1+random.IntN(benchOrganizations)), &facts, time.Time{})
			return err
		})
	})
}

// BenchmarkBulk is one statement that changes 100,000 rows, of 20,000 organizations.
func BenchmarkBulk(b *testing.B) {
	newBench(b).compare(5, func(pool *pgxpool.Pool) float64 {
		started := time.Now()
		_, err := pool.Exec(b.Context(), "UPDATE insurance_policies SET expiry_date = expiry_date + interval '1 day'")
		took := time.Since(started)
		if err == nil {
			_, err = pool.Exec(b.Context(), "VACUUM insurance_policies")
		}
		if err != nil {
			b.Fatal(err)
		}
		return 1 / took.Seconds()
	})
}
