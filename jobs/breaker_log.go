package jobs

import (
	"context"

	"github.com/claimsync/claimsync/outbox"
)

// logBreaker logs what the process changed of a topic's breaker, nil being nothing. Only the process that made a change
// does, so the fleet's logs have it once. What a person did, every process logs: see lookAtBreaker.
func (c *Config) logBreaker(ctx context.Context, topic string, change *outbox.Change) {
	switch {
	case change == nil:
	case !change.Opened:
		c.Logger.InfoContext(ctx, "Breaker closed", "topic", topic, "cause", change.Cause, "lasted", change.Lasted)
	case change.Cause == outbox.CauseConfiguration:
		c.Logger.ErrorContext(ctx, "Breaker opened: the configuration is at fault, nothing is delivered until it is mended",
			"topic", topic, "cause", change.Cause, "reason", change.Reason)
	default:
		c.Logger.WarnContext(ctx, "Breaker opened", "topic", topic, "cause", change.Cause, "reason", change.Reason)
	}
}
