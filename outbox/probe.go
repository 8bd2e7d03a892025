package outbox

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/claimsync/claimsync/db"
	"github.com/claimsync/claimsync/db/dbsqlc"
)

const (
	// probeFirst is from the breaker's opening to its first probe, and the pause from which those between probes grow.
	probeFirst = 2 * time.Second
	// probeOutageMost is the longest pause in an outage: with the second in which a process notices that it is time, the
	// first push is at the destination within the six seconds after its recovery that are promised.
	probeOutageMost = 3 * time.Second
	// probeConfigurationMost is that for a fault which a person has to mend.
	probeConfigurationMost = 30 * time.Second
	// probePatience is how far ahead a key's next try may lie to be made now, as a probe: more than any delay but those of
	// keys that the destination does not know.
	probePatience = retryMost
)

// ProbeBegin returns the key to probe the destination with, if the breaker is open, it is time, and no other process does
// it; else false. The key is to be claimed by ClaimProbe, and the outcome told to Acquit.
func (o *Outbox) ProbeBegin(ctx context.Context, conn db.Querier, topic string) (key string, begun bool, err error) {
	_, err = o.queries.DestinationProbeBegin(ctx, conn, dbsqlc.DestinationProbeBeginParams{
		Topic: topic, First: probeFirst, OutageMost: probeOutageMost, ConfigurationMost: probeConfigurationMost,
	})
	if err == nil {
		_, burst := o.budgets[topic].keySpacing()
		key, err = o.queries.OutboxProbeKey(ctx, conn, dbsqlc.OutboxProbeKeyParams{
			Topic: topic, Patience: probePatience, KeyBurst: burst,
		})
	}
	if errors.Is(err, pgx.ErrNoRows) {
		return "", false, nil
	}
	if err != nil {
		return "", false, fmt.Errorf("beginning to probe %s: %w", topic, err)
	}
	return key, true, nil
}

// ProbeSoon makes the next probe due, where the breaker is open for another reason than a person's: a process that starts
// may bring what was amiss.
func (o *Outbox) ProbeSoon(ctx context.Context, conn db.Querier, topic string) error {
	if err := o.queries.DestinationProbeSoon(ctx, conn, topic); err != nil {
		return fmt.Errorf("hastening the probe of %s: %w", topic, err)
	}
	return nil
}
