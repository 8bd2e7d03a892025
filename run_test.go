package claimsync_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"github.com/claimsync/claimsync"
	"github.com/claimsync/claimsync/db"
	"github.com/claimsync/claimsync/db/dbtest"
	"github.com/claimsync/claimsync/jobs"
	"github.com/claimsync/claimsync/scoring"
)

// An insurance runs out, and nobody writes anything: Clerk hears of it.
func TestRunKeepsScoresFromGettingStale(t *testing.T) {
	t.Parallel()
	server, client := newClerk(t, 5*time.Second)
	server.AddOrganization("org_A", "A")
	pool := dbtest.New(t)
	synced, err := claimsync.New(claimsync.Config{Pool: pool, Clerk: client, RateLimit: claimsync.Unlimited})
	if err != nil {
		t.Fatal(err)
	}
	config, err := jobs.RiverConfig(synced.Jobs(), db.DefaultRiverSchema)
	if err != nil {
		t.Fatal(err)
	}
	worker, err := river.NewClient(riverpgxv5.New(pool), config)
	if err != nil {
		t.Fatal(err)
	}
	if err := worker.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { synced.Run(ctx, jobs.NewWaker(worker)) })
	t.Cleanup(func() {
		stop()
		running.Wait()
		if err := worker.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})

	store, expiry := synced.Store(jobs.NewWaker(worker)), time.Now().Add(time.Second)
	err = pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error {
		_, err := store.ImportTx(t.Context(), tx, []scoring.OrganizationFacts{{
			ID: "a", Name: "A", ClerkOrgID: new("org_A"), CertificationTier: scoring.Accredited,
			Facts: scoring.Facts{InsurancePolicies: []scoring.InsurancePolicy{{Type: scoring.PublicLiability, ExpiryDate: expiry}}},
		}}, time.Time{})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	insured := []bool{true, false}
	waiting, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	err = server.WaitFor(waiting, func() bool {
		if at, _ := server.Organization("org_A"); claimsOf(t, at.PublicMetadata)["insurance_valid"] == insured[0] {
			insured = insured[1:]
		}
		return len(insured) == 0
	})
	if err != nil {
		t.Fatalf("Clerk was not told of insurance_valid %v: %v", insured, err)
	}
}

// deaf is an observer that observes nothing, for those that do observe something.
type deaf struct{}

var _ claimsync.Observer = deaf{}

func (deaf) Delivered(string, string, time.Duration) {}
func (deaf) Applied(string, time.Duration)           {}
func (deaf) Swept(string, int)                       {}
func (deaf) Recalculated(int, int, time.Duration)    {}
func (deaf) RecalculationFailed()                    {}
func (deaf) DriftChecked(string)                     {}
func (deaf) ClerkEvent(string, string)               {}
