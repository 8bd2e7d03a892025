package main

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/claimsync/claimsync"
	"github.com/claimsync/claimsync/clerk"
	"github.com/claimsync/claimsync/clerk/clerktest"
	"github.com/claimsync/claimsync/db"
	"github.com/claimsync/claimsync/db/dbtest"
	"github.com/claimsync/claimsync/jobs"
	"github.com/claimsync/claimsync/metrics"
	"github.com/claimsync/claimsync/scoring"
)

// benchPatience is how long a push may take before the benchmark has failed instead of being slow.
const benchPatience = 30 * time.Second

// BenchmarkCommitToApplied is the time from the commit of a change to Clerk's having applied it, in a monolith that has
// nothing else to do. The emulator answers at once and has no limits, so what is measured is our own part: notification,
// fetch, claim, reading the claims, and a call on loopback. ns/op is the mean.
//
// Run it with -benchtime=500x for percentiles that mean something, and with DATABASE_URL set for a server that syncs to
// disk: dbtest's own does not.
func BenchmarkCommitToApplied(b *testing.B) {
	measureLag(b, startIdle(b, false))
}

// BenchmarkCommitToAppliedPolled is the same in the way of a process behind a pooler, without the pooler: no prepared
// statements, and jobs that are polled for.
func BenchmarkCommitToAppliedPolled(b *testing.B) {
	measureLag(b, startIdle(b, true))
}

func measureLag(b *testing.B, idle *idleMonolith) {
	var lags []time.Duration
	for b.Loop() {
		b.StopTimer()
		// Not in step with anything that ticks.
		time.Sleep(20*time.Millisecond + rand.N(30*time.Millisecond))
		before := idle.lastWrite().Seq
		organization := idle.organizations[len(lags)%len(idle.organizations)]
		idle.flipTier(b, organization.ID)
		committed := time.Now()
		b.StartTimer()
		lags = append(lags, idle.writeAfter(b, before).Applied.Sub(committed))
	}
	slices.Sort(lags)
	for percentile, unit := range map[int]string{50: "p50-ms", 90: "p90-ms", 99: "p99-ms"} {
		lag := lags[(len(lags)-1)*percentile/100]
		b.ReportMetric(float64(lag.Microseconds())/1000, unit)
	}
}

// BenchmarkImport is the whole of app import on an empty database, from reading the file to the last commit.
func BenchmarkImport(b *testing.B) {
	const organizations = 10_000
	file := filepath.Join(b.TempDir(), "organizations.ndjson")
	if err := os.WriteFile(file, []byte(ndjsonOf(b, sampleOf(organizations))), 0o600); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		b.StopTimer()
		database := []string{"DATABASE_URL=" + dbtest.URL(b)}
		b.StartTimer()
		if got := runApp(b, b.Context(), "", database, "import", file); got.code != exitOK {
			b.Fatalf("import: %+v", got)
		}
	}
	b.ReportMetric(float64(organizations*b.N)/b.Elapsed().Seconds(), "organizations/s")
}

// idleMonolith is a monolith in step with an emulator, so with nothing to do.
type idleMonolith struct {
	pool          *pgxpool.Pool
	clerk         *clerktest.Server
	store         *scoring.Store
	organizations []scoring.OrganizationFacts
}

func startIdle(b *testing.B, pooled bool) *idleMonolith {
	b.Helper()
	idle := &idleMonolith{
		pool:          openBench(b, pooled),
		clerk:         startUnlimited(b),
		organizations: sampleOf(9), // the tenth would not be linked
	}
	registry := metrics.New()
	client, err := clerk.New(clerk.Config{
		SecretKey: clerktest.DefaultSecretKey, BaseURL: idle.clerk.BaseURL(), Transport: registry.WatchClerk(clerk.NewTransport()),
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(client.CloseIdleConnections)
	m, err := startMonolith(b.Context(), monolithConfig{
		pool: idle.pool, pooled: pooled, clerk: client, rate: rateFlags{RateLimit: claimsync.Unlimited, OrganizationRateLimit: claimsync.Unlimited},
		riverSchema: db.DefaultRiverSchema, maxWorkers: jobs.DefaultMaxWorkers,
		addr: "127.0.0.1:0", adminToken: "benchmark", metrics: registry, logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := m.stop(); err != nil {
			b.Errorf("stopping: %v", err)
		}
	})
	// The client that also works: as for a change that comes in through the API.
	idle.store = m.store
	idle.importAll(b)
	return idle
}

func openBench(b *testing.B, pooled bool) *pgxpool.Pool {
	b.Helper()
	if !pooled {
		return dbtest.New(b)
	}
	pool, err := db.Open(b.Context(), dbtest.URL(b), db.WithoutSessions)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(pool.Close)
	return pool
}

// startUnlimited starts an emulator that remembers only the latest write.
func startUnlimited(b *testing.B) *clerktest.Server {
	b.Helper()
	config := clerktest.WithoutLimits()
	config.HistoryLimit = 1
	server, err := clerktest.Start(config)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = server.Close() })
	return server
}

// importAll returns when Clerk is in step.
func (i *idleMonolith) importAll(b *testing.B) {
	b.Helper()
	for _, org := range i.organizations {
		i.clerk.AddOrganization(*org.ClerkOrgID, org.Name)
	}
	i.transact(b, func(tx pgx.Tx) error {
		_, err := i.store.ImportTx(b.Context(), tx, i.organizations, time.Time{})
		return err
	})
	i.writeAfter(b, int64(len(i.organizations))-1)
}

// flipTier commits a change of what Clerk is to say of the organization.
func (i *idleMonolith) flipTier(b *testing.B, id string) {
	b.Helper()
	i.transact(b, func(tx pgx.Tx) error {
		org, _, err := i.store.Get(b.Context(), tx, id)
		if err != nil {
			return err
		}
		tier := scoring.Accredited
		if org.CertificationTier == tier {
			tier = scoring.Certified
		}
		_, _, err = i.store.UpdateTx(b.Context(), tx, id, scoring.OrganizationUpdate{CertificationTier: &tier}, time.Time{})
		return err
	})
}

func (i *idleMonolith) transact(b *testing.B, change func(pgx.Tx) error) {
	b.Helper()
	if err := db.Transact(b.Context(), i.pool, change); err != nil {
		b.Fatal(err)
	}
}

// lastWrite is the latest write that Clerk applied; the zero Write before the first.
func (i *idleMonolith) lastWrite() clerktest.Write {
	writes := i.clerk.Writes()
	if len(writes) == 0 {
		return clerktest.Write{}
	}
	return writes[len(writes)-1]
}

// writeAfter waits for a write later than the one with the number seq.
func (i *idleMonolith) writeAfter(b *testing.B, seq int64) clerktest.Write {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.Context(), benchPatience)
	defer cancel()
	if err := i.clerk.WaitFor(ctx, func() bool { return i.lastWrite().Seq > seq }); err != nil {
		b.Fatal(err)
	}
	return i.lastWrite()
}
