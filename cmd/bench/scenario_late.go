package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/claimsync/claimsync/clerk/clerktest"
	"github.com/claimsync/claimsync/db/dbsqlc"
	"github.com/claimsync/claimsync/jobs"
)

// late is a push that Clerk does not answer, and applies only when a newer state has been pushed.
type late struct {
	after time.Duration // from when it is given up on until it lands
	bound time.Duration // from then until Clerk has the newest state again
}

// meanwhile is how long after the push began the organization changes again.
const meanwhile = 2 * time.Second

func (s late) run(ctx context.Context, b *bench) ([]bound, error) {
	config := fleetConfig{
		organizations: 1, processes: processes, clerk: clerkOf(production),
		environment: []string{limitVariable(production)},
	}
	return b.withFleet(ctx, config, func(f *fleet) ([]bound, error) {
		key := f.keys[0]
		landed, err := s.land(ctx, f, key)
		if err != nil {
			return nil, err
		}
		repaired, err := until(ctx, landed.Applied, 2*s.bound, f.inStepAndClean)
		if err != nil {
			return nil, err
		}
		outcomes, err := f.outcomes(ctx, key)
		return []bound{
			within(s.bound, "Clerk has the newest state again, after the old one landed", repaired),
			holds("the delivery log shows it", inOrder(outcomes, lateLog...)),
			told("… which reads", strings.Join(outcomes, ", ")),
		}, err
	})
}

// lateLog is what the delivery log has to show, whatever is between.
var lateLog = []dbsqlc.DeliveryOutcome{
	dbsqlc.DeliveryOutcomeAmbiguous,   // the push that timed out
	dbsqlc.DeliveryOutcomeApplied,     // the newer state
	dbsqlc.DeliveryOutcomeOverwritten, // reading back found that the old one had landed over it
	dbsqlc.DeliveryOutcomeApplied,     // the newest state again
}

// land has the push hang, changes the organization meanwhile, and returns once the old state has landed over the new.
func (s late) land(ctx context.Context, f *fleet, key string) (clerktest.Write, error) {
	if err := f.changeOver(ctx, time.Second, 1); err != nil { // so that connections are warm
		return clerktest.Write{}, err
	}
	delay := jobs.DefaultDeliveryTimeout + s.after
	f.clerk.SetFaults(clerktest.Fault{
		Effect: clerktest.Late, Delay: delay, Organization: key, Method: http.MethodPatch, Count: 1,
	}, usual)
	if err := f.change(ctx, key); err != nil {
		return clerktest.Write{}, err
	}
	if err := sleep(ctx, meanwhile); err != nil {
		return clerktest.Write{}, err
	}
	if err := f.change(ctx, key); err != nil {
		return clerktest.Write{}, err
	}
	waiting, cancel := context.WithTimeout(ctx, delay+10*time.Second)
	defer cancel()
	landed, err := f.clerk.WaitForWrite(waiting, func(w clerktest.Write) bool { return w.Late })
	if err != nil {
		return landed, fmt.Errorf("the old state did not land: %w", err)
	}
	newer := func(w clerktest.Write) bool { return w.Seq < landed.Seq && w.Version > landed.Version }
	if !slices.ContainsFunc(f.clerk.Writes(), newer) {
		return landed, errors.New("no newer state had been pushed when the old one landed")
	}
	return landed, nil
}

// outcomes are those of the organization's deliveries, in their order.
func (f *fleet) outcomes(ctx context.Context, key string) ([]string, error) {
	// Its error is in rows.
	rows, _ := f.pool.Query(ctx, `SELECT outcome::text FROM outbox_delivery WHERE key = $1 ORDER BY id`, key)
	outcomes, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("reading the delivery log of %s: %w", key, err)
	}
	return outcomes, nil
}

// inOrder tells whether the wanted outcomes are there in that order, whatever is between them.
func inOrder(outcomes []string, wanted ...dbsqlc.DeliveryOutcome) bool {
	for _, outcome := range outcomes {
		if len(wanted) > 0 && outcome == string(wanted[0]) {
			wanted = wanted[1:]
		}
	}
	return len(wanted) == 0
}
