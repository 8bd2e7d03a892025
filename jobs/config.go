package jobs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"go.opentelemetry.io/otel/trace"

	"github.com/claimsync/claimsync/outbox"
)

const (
	// DefaultDeliveryTimeout is the deadline of one delivery. outbox.DefaultLease exceeds it by the time an
	// acknowledgement may take.
	DefaultDeliveryTimeout = 5 * time.Second

	// DefaultMaxWorkers is how many deliveries one process runs at once, per topic: 100 calls a second at a latency of
	// 300 ms, which is Clerk's production limit.
	DefaultMaxWorkers = 32

	// DefaultSweepEvery is how often the fleet looks for rows that nothing will deliver.
	DefaultSweepEvery = time.Second

	// fetchCooldown is the shortest time between two fetches by one process.
	fetchCooldown = 10 * time.Millisecond

	// fetchPollInterval is how long a job waits whose announcement was lost; pollOnlyInterval is how long any does where
	// there are none.
	fetchPollInterval = time.Second
	pollOnlyInterval  = 100 * time.Millisecond

	// settleTimeout is how long recording a result may take at least; it goes on when the process is told to stop.
	settleTimeout = 3 * time.Second

	// lockedPause is until a row is tried again that a caller's transaction held. Longer, and a hot key waits for it.
	lockedPause = 200 * time.Millisecond

	// rescueAfter is River's own default, and not shorter since River's leader applies it to the jobs of others too, and
	// discards those that it does not know. Nothing of ours waits for it: that is what lease and sweep are for.
	rescueAfter = time.Hour

	// jobTimeout bounds a whole job, as a last resort: the delivery and the settling have their own deadlines.
	jobTimeout = 30 * time.Second
)

// Config is what the worker and the maintainer work on.
type Config struct {
	// Pool is the database. Required.
	Pool *pgxpool.Pool

	// Outbox is the protocol. Required.
	Outbox *outbox.Outbox

	// Destinations has the destination of each topic. Required. A topic's jobs are in the River queue of its name.
	Destinations map[string]outbox.Destination

	// DeliveryTimeout is the deadline of one delivery; it must be shorter than the outbox's lease. Defaults to
	// DefaultDeliveryTimeout.
	DeliveryTimeout time.Duration

	// MaxWorkers is how many deliveries this process runs at once, per topic. Defaults to DefaultMaxWorkers.
	MaxWorkers int

	// SoftStopTimeout is how long a stop waits for deliveries under way before it cancels them: of RiverConfig's client alone,
	// since it counts for all jobs of one. Defaults to what a delivery may take.
	SoftStopTimeout time.Duration

	// PollOnly has workers look for jobs, instead of being told of them: for a pooler, in whose sessions nobody can listen. Of
	// RiverConfig's client alone, since it counts for all queues of one.
	PollOnly bool

	// Stopping is done when the process begins to stop: jobs that wait for their turn to call the destination then go back
	// into the queue at once, and failures that the log has yet to sum up are summed up. Defaults to never: they go when
	// their turn comes, or River cancels them.
	Stopping context.Context

	// SweepEvery is how often one process of the fleet sweeps, and looks whether it is time to probe. Defaults to DefaultSweepEvery.
	SweepEvery time.Duration

	// Logger gets a line per delivery; of many that fail the same way the first few, and then one every ten seconds with
	// their number. Defaults to none.
	Logger *slog.Logger

	// TracerProvider gets a span per delivery, the root of a trace, with a link to the span in whose transaction the job was
	// inserted. Defaults to none; the one that OpenTelemetry keeps globally is not looked at.
	TracerProvider trace.TracerProvider

	// Observer is told what happens, for metrics. Defaults to none.
	Observer Observer

	tracer trace.Tracer // nil: none
	bursts *burstLog    // of a worker, or a maintainer
}

// Observer is told of deliveries and sweeps. Its methods are called concurrently.
type Observer interface {
	// Delivered is called once per delivery, with its outcome as in the delivery log.
	Delivered(topic, outcome string, duration time.Duration)
	// Applied is called once per acknowledged delivery with the time since the oldest change that it delivered.
	Applied(topic string, lag time.Duration)
	// Swept is called when a sweep found rows that nothing would have delivered.
	Swept(topic string, rows int)
}

func (c Config) withDefaults() Config {
	if c.DeliveryTimeout == 0 {
		c.DeliveryTimeout = DefaultDeliveryTimeout
	}
	if c.MaxWorkers == 0 {
		c.MaxWorkers = DefaultMaxWorkers
	}
	if c.SweepEvery == 0 {
		c.SweepEvery = DefaultSweepEvery
	}
	if c.SoftStopTimeout == 0 {
		c.SoftStopTimeout = c.DeliveryTimeout + settleTimeout
	}
	if c.Stopping == nil {
		c.Stopping = context.Background()
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Observer == nil {
		c.Observer = noObserver{}
	}
	if c.TracerProvider != nil {
		c.tracer = c.TracerProvider.Tracer(tracerName)
	}
	return c
}

func (c Config) check() error {
	switch {
	case c.Pool == nil:
		return errors.New("jobs: Config.Pool is required")
	case c.Outbox == nil:
		return errors.New("jobs: Config.Outbox is required")
	case len(c.Destinations) == 0:
		return errors.New("jobs: Config.Destinations is required")
	case c.DeliveryTimeout >= c.Outbox.Lease():
		return fmt.Errorf("jobs: the delivery timeout of %s is not shorter than the lease of %s", c.DeliveryTimeout, c.Outbox.Lease())
	}
	return nil
}

// patience is how long a job may wait for its turn to call the destination: less than one lease, for which a running job
// counts as live. Jobs that came together do not leave together, or a slot that the process has reserved would find nobody.
func (c Config) patience() time.Duration {
	most := c.Outbox.Lease() * 7 / 8
	return most - rand.N(most/4)
}

type noObserver struct{}

func (noObserver) Delivered(string, string, time.Duration) {}
func (noObserver) Applied(string, time.Duration)           {}
func (noObserver) Swept(string, int)                       {}
