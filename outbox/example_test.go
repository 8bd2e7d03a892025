package outbox_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"github.com/claimsync/claimsync/db"
	"github.com/claimsync/claimsync/db/dbtest"
	"github.com/claimsync/claimsync/jobs"
	"github.com/claimsync/claimsync/outbox"
)

// A mark commits with the change that it announces, or goes with it.
func ExampleOutbox_MarkTx() {
	dbtest.Example(func(ctx context.Context, pool *pgxpool.Pool) {
		client, err := river.NewClient(riverpgxv5.New(pool), &river.Config{Schema: db.DefaultRiverSchema}) // only inserts
		if err != nil {
			panic(err)
		}
		box, waker := outbox.New(outbox.Config{}), jobs.NewWaker(client)
		change := func(key string, end error) {
			err := pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
				// … what changes the state of the key, and then:
				if err := box.MarkTx(ctx, tx, waker, "crm_account", outbox.PriorityLive, key); err != nil {
					return err
				}
				return end
			})
			status, found, statusErr := box.Status(ctx, pool, "crm_account", key)
			fmt.Println(err, "/", found, status.State, status.DesiredVersion, statusErr)
		}
		change("acme", nil)
		change("other", errors.New("the transaction fails"))
	})
	// Output:
	// <nil> / true dirty 1 <nil>
	// the transaction fails / false  0 <nil>
}

// What follows a failure is decided in one table, by what the destination made of the answer.
func ExampleDecide() {
	fmt.Printf("%+v\n", outbox.Decide(&outbox.Failure{Action: outbox.Park}, 0))
	fmt.Printf("%+v\n", outbox.Decide(&outbox.Failure{Action: outbox.Wait, RetryAfter: 7 * time.Second}, 3))
	// Output:
	// {Park:true Delay:0s Block:0s Limit:false}
	// {Park:false Delay:0s Block:7s Limit:true}
}
