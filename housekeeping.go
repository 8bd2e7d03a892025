package claimsync

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/claimsync/claimsync/internal/housekeeping"
)

// How long what is kept, unless Config says otherwise.
const (
	DefaultDeliveryRetention    = 7 * 24 * time.Hour
	DefaultOperatorLogRetention = 400 * 24 * time.Hour // a year, and some time to ask about it

	// LeastRetention is for how long the logs are needed: who else writes an organization's values is told by what was
	// overwritten within a day, and the plot of activity is counted from the delivery log.
	LeastRetention = 24 * time.Hour

	// Forever, as a retention, keeps everything.
	Forever = housekeeping.Forever
)

const (
	// activityRetention is for more than the plot shows: what has become of a busy week.
	activityRetention = 7 * 24 * time.Hour
	// processRetention is how long a process that died is shown.
	processRetention = 24 * time.Hour
)

// retention checks and completes what the configuration says.
func (c Config) retention() (keep housekeeping.Retention, err error) {
	keep = housekeeping.Retention{
		Deliveries:  cmp.Or(c.DeliveryRetention, DefaultDeliveryRetention),
		OperatorLog: cmp.Or(c.OperatorLogRetention, DefaultOperatorLogRetention),
		Activity:    activityRetention, Events: eventRetention, Processes: processRetention,
	}
	if err = checkRetention("DeliveryRetention", keep.Deliveries); err == nil {
		err = checkRetention("OperatorLogRetention", keep.OperatorLog)
	}
	return keep, err
}

func checkRetention(field string, keep time.Duration) error {
	if keep != Forever && keep < LeastRetention {
		return fmt.Errorf("claimsync: Config.%s must be at least %s, or Forever, got %s", field, LeastRetention, keep)
	}
	return nil
}

// keepHouse deletes what is old, in turn with the other processes, until ctx is done.
func (s *Sync) keepHouse(ctx context.Context) {
	housekeeping.New(housekeeping.Config{
		Pool: s.jobs.Pool, Topic: Topic, Retention: s.keep, Logger: s.logger,
	}).Run(ctx)
}
