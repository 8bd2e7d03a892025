package claimsync_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"github.com/claimsync/claimsync"
	"github.com/claimsync/claimsync/clerk"
	"github.com/claimsync/claimsync/clerk/clerktest"
	"github.com/claimsync/claimsync/db"
	"github.com/claimsync/claimsync/db/dbtest"
	"github.com/claimsync/claimsync/jobs"
	"github.com/claimsync/claimsync/scoring"
)

// An application with a pool and a River client of its own adds claimsync to them. What it writes in a transaction is at
// Clerk a moment after that has committed.
func ExampleNew() {
	dbtest.Example(func(ctx context.Context, pool *pgxpool.Pool) {
		emulator, err := clerktest.Start(clerktest.Config{})
		must(err)
		defer emulator.Close()
		emulator.AddOrganization("org_acme", "Acme Roofing")
		// The application's settings, with workers and queues of its own.
		settings := &river.Config{Schema: db.DefaultRiverSchema, Logger: slog.New(slog.DiscardHandler)}

		clerkClient, err := clerk.New(clerk.Config{SecretKey: clerktest.DefaultSecretKey, BaseURL: emulator.BaseURL()})
		must(err)
		defer clerkClient.CloseIdleConnections()
		claims, err := claimsync.New(claimsync.Config{Pool: pool, Clerk: clerkClient})
		must(err)
		must(claims.Register(settings))
		client, err := river.NewClient(riverpgxv5.New(pool), settings)
		must(err)
		waker := jobs.NewWaker(client)
		must(client.Start(ctx))
		defer client.Stop(ctx)
		background, stop := context.WithCancel(ctx)
		var running sync.WaitGroup
		defer running.Wait()
		defer stop()
		running.Go(func() { claims.Run(background, waker) })

		store := claims.Store(waker)
		must(pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
			acme := scoring.Organization{
				ID: "acme", Name: "Acme Roofing", ClerkOrgID: new("org_acme"), CertificationTier: scoring.Certified,
			}
			_, _, err := store.CreateTx(ctx, tx, acme, time.Time{})
			return err
		}))
		must(emulator.WaitFor(ctx, func() bool { return len(emulator.Writes()) > 0 }))
		organization, _ := emulator.Organization("org_acme")
		var public map[string]any
		must(json.Unmarshal(organization.PublicMetadata, &public))
		delete(public, "claims_as_of") // when these were read: now
		fmt.Println(public)
	})
	// Output: map[certification_tier:CERTIFIED compliance_score:5 insurance_valid:false]
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
