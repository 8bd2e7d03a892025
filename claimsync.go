package claimsync

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"go.opentelemetry.io/otel/trace"

	"github.com/claimsync/claimsync/clerk"
	"github.com/claimsync/claimsync/internal/housekeeping"
	"github.com/claimsync/claimsync/jobs"
	"github.com/claimsync/claimsync/outbox"
	"github.com/claimsync/claimsync/scoring"
)

// Topic is the outbox topic of Clerk organizations, and the name of their River queue. Its keys are the ids of Clerk
// organizations, not of ours: so there is one writer for each even while it is moved from one organization to another,
// and one that is unlinked is a key whose claims are to go.
const Topic = "clerk_organization"

// Config is what a Sync works with.
type Config struct {
	// Pool is the database, migrated by db.Migrate. Required.
	Pool *pgxpool.Pool

	// Clerk is where the claims go. Without it nothing can be delivered, only marked: enough for a program that imports
	// or recalculates while another delivers.
	Clerk *clerk.Client

	// Destinations are the application's own beside Clerk, by topic.
	Destinations map[string]Destination

	// RateLimit is how many calls Clerk admits in 10 s, for all that use the same secret key. Defaults to Clerk's limit for
	// the kind of the key: 1000 for sk_live_, else 100. Unlimited for none.
	RateLimit int

	// OrganizationRateLimit is how many writes to one organization Clerk admits in 10 s. Defaults to Clerk's limit, 10.
	// Unlimited for none.
	OrganizationRateLimit int

	// RateShare is the share of both limits that the whole fleet together uses, above 0 and up to 1; the rest is for others
	// with the same key. Defaults to outbox.DefaultShare.
	RateShare float64

	// RiverSchema is the schema of River's tables. Defaults to db.DefaultRiverSchema.
	RiverSchema string

	// MaxWorkers is how many pushes this process runs at once. Defaults to jobs.DefaultMaxWorkers.
	MaxWorkers int

	// DriftEvery is how often the fleet checks for drift. Defaults to DefaultDriftEvery. Never for none.
	DriftEvery time.Duration

	// DriftReportOnly keeps the periodic check from repairing what it finds.
	DriftReportOnly bool

	// RenewEvery is how often, at least, every organization is pushed again although nothing has changed, so that the age of
	// what tokens say tells whether all of this still works (claims.RequireFresh). At the lowest priority, spread out, and
	// only while few changes wait. Defaults to Never.
	RenewEvery time.Duration

	// DeliveryRetention is how long the delivery log is kept. Defaults to DefaultDeliveryRetention, is at least
	// LeastRetention, or Forever. It goes by age alone: of an organization that was not pushed for longer nothing is left.
	DeliveryRetention time.Duration

	// OperatorLogRetention is how long the operator log is kept. Defaults to DefaultOperatorLogRetention, is at least
	// LeastRetention, or Forever.
	OperatorLogRetention time.Duration

	// Stopping is done when the process begins to stop: pushes that wait for their turn are then left to others. Defaults
	// to never.
	Stopping context.Context

	// LinkKey is the key in the private metadata of a Clerk organization under which whoever creates it puts the id of
	// ours that it belongs to, a string: an event then links the two. Private, since its members can write no such
	// metadata. Defaults to DefaultLinkKey; NoLink for none.
	LinkKey string

	// Version is the application's, for people who look at the fleet. Defaults to what Go has built into the program.
	Version string

	// Logger gets a line per push. Defaults to none.
	Logger *slog.Logger

	// TracerProvider gets a span per push: see jobs.Config. Calls to Clerk and to the database are traced by whoever has made
	// Clerk and Pool. Defaults to none.
	TracerProvider trace.TracerProvider

	// Observer is told of pushes, sweeps, recalculations, drift checks and events, for metrics. Defaults to none.
	Observer Observer
}

// Observer is told what happens. Its methods are called concurrently.
type Observer interface {
	jobs.Observer
	scoring.RecalculationObserver
	DriftObserver
	// ClerkEvent is called once for each webhook of Clerk's, with the type of the event, "other" for those that are not
	// handled, and an EventOutcome.
	ClerkEvent(eventType, outcome string)
}

// Sync is the outbox of Clerk organizations. It starts nothing.
type Sync struct {
	outbox   *outbox.Outbox
	clerk    *clerk.Client // nil: none
	logger   *slog.Logger
	observer Observer // nil: none
	jobs     jobs.Config
	linkKey  string
	version  string
	reading  chan struct{} // has room for one: whoever waits for a turn to read at Clerk
	drift    driftSchedule
	renewal  renewal
	keep     housekeeping.Retention
	river    string   // the schema of River's tables, as it was configured
	follow   []string // the topics that follow the claims, sorted
}

// New returns a Sync. It does not touch the database.
func New(config Config) (*Sync, error) {
	if config.Pool == nil {
		return nil, errors.New("claimsync: Config.Pool is required")
	}
	if config.Logger == nil {
		config.Logger = slog.New(slog.DiscardHandler)
	}
	budgets, destinations, err := config.topics()
	if err != nil {
		return nil, err
	}
	keep, err := config.retention()
	if err != nil {
		return nil, err
	}
	box := outbox.New(outbox.Config{RiverSchema: config.RiverSchema, Budgets: budgets})
	s := &Sync{
		outbox: box, logger: config.Logger, observer: config.Observer, clerk: config.Clerk,
		linkKey: cmp.Or(config.LinkKey, DefaultLinkKey), reading: make(chan struct{}, 1),
		version: cmp.Or(config.Version, BuiltVersion()),
		drift:   driftSchedule{every: config.DriftEvery, turn: driftTurn, repair: !config.DriftReportOnly},
		renewal: renewal{every: config.RenewEvery},
		keep:    keep,
		river:   config.RiverSchema,
		follow:  config.following(),
	}
	if s.drift.every == 0 {
		s.drift.every = DefaultDriftEvery
	}
	s.jobs = jobs.Config{
		Pool:           config.Pool,
		Outbox:         s.outbox,
		Destinations:   destinations,
		MaxWorkers:     config.MaxWorkers,
		Stopping:       config.Stopping,
		Logger:         config.Logger,
		TracerProvider: config.TracerProvider,
	}
	if config.Observer != nil {
		s.jobs.Observer = config.Observer
	}
	return s, nil
}

// Jobs returns what works the topics, for a River client of its own: see jobs.RiverConfig.
func (s *Sync) Jobs() jobs.Config { return s.jobs }

// Outbox returns the outbox, to look into it.
func (s *Sync) Outbox() *outbox.Outbox { return s.outbox }

// Store returns the store of organizations and scores. Its changes are announced by jobs inserted through waker.
func (s *Sync) Store(waker outbox.Waker) *scoring.Store {
	return scoring.NewStore(organizationMarker{outbox: s.outbox, waker: waker, follow: s.follow}, s.logger)
}

// organizationMarker marks Clerk organizations in the outbox, and ours in what follows them.
type organizationMarker struct {
	outbox *outbox.Outbox
	waker  outbox.Waker
	follow []string // topics, sorted, since each mark locks rows
}

func (m organizationMarker) QueueMarks(
	ctx context.Context, batch *pgx.Batch, urgency scoring.Urgency, changed scoring.Changed,
) error {
	priority := priorityOf(urgency)
	err := m.outbox.QueueMark(ctx, batch, m.waker, Topic, priority, changed.ClerkOrgIDs...)
	for _, topic := range m.follow {
		err = errors.Join(err, m.outbox.QueueMark(ctx, batch, m.waker, topic, priority, changed.IDs...))
	}
	return err
}

// priorityOf translates between two packages that do not know each other.
func priorityOf(urgency scoring.Urgency) outbox.Priority {
	switch urgency {
	case scoring.UrgencyLapse:
		return outbox.PriorityLapse
	case scoring.UrgencyAging:
		return outbox.PriorityRoutine
	case scoring.UrgencyBackfill:
		return outbox.PriorityBackfill
	default:
		return outbox.PriorityLive
	}
}
