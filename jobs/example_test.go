package jobs_test

import (
	"context"
	"fmt"
	"log/slog"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"github.com/claimsync/claimsync/db"
	"github.com/claimsync/claimsync/db/dbtest"
	"github.com/claimsync/claimsync/jobs"
	"github.com/claimsync/claimsync/outbox"
)

// crm is a destination that is always in step.
type crm struct{ delivered chan string }

func (c crm) Deliver(_ context.Context, key string, _ int64) (outbox.Receipt, error) {
	c.delivered <- key
	return outbox.Receipt{Status: 200}, nil
}

func (c crm) Verify(context.Context, string, int64) (bool, outbox.Receipt, error) {
	return true, outbox.Receipt{Status: 200}, nil
}

// The outbox without Clerk and scores: a topic, its destination, and the application's own River client.
func ExampleRegister() {
	dbtest.Example(func(ctx context.Context, pool *pgxpool.Pool) {
		must := func(err error) {
			if err != nil {
				panic(err)
			}
		}
		accounts := crm{delivered: make(chan string)}
		config := jobs.Config{
			Pool: pool, Outbox: outbox.New(outbox.Config{}),
			Destinations: map[string]outbox.Destination{"crm_account": accounts},
		}
		settings := &river.Config{Schema: db.DefaultRiverSchema, Logger: slog.New(slog.DiscardHandler)} // the application's
		must(jobs.Register(settings, config))
		client, err := river.NewClient(riverpgxv5.New(pool), settings)
		must(err)
		must(client.Start(ctx))
		defer client.Stop(ctx)
		background, stop := context.WithCancel(ctx)
		var running sync.WaitGroup
		defer running.Wait()
		defer stop()
		waker := jobs.NewWaker(client)
		running.Go(func() { jobs.NewMaintainer(config, waker).Run(background) })

		must(pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
			return config.Outbox.MarkTx(ctx, tx, waker, "crm_account", outbox.PriorityLive, "acme")
		}))
		fmt.Println(<-accounts.delivered)
	})
	// Output: acme
}
