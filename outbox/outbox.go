package outbox

import (
	"time"

	"github.com/claimsync/claimsync/db"
	"github.com/claimsync/claimsync/db/dbsqlc"
)

const (
	// DefaultLease leaves a delivery with the default deadline of 5 s another 3 s to be acknowledged.
	DefaultLease = 8 * time.Second

	// claimLockTimeout bounds the wait for a row whose marker does not commit: with a second, two hundred such rows kept
	// the workers from all others.
	claimLockTimeout = "50ms"
)

// Config configures an [Outbox]. The zero value is usable.
type Config struct {
	// Lease is how long a claim holds without a result. It bounds how long a key stands still after its process was
	// killed, and must exceed the delivery's deadline by the time an acknowledgement may take. Defaults to DefaultLease.
	Lease time.Duration

	// Budgets has the budgets of the topics that have one.
	Budgets map[string]Budget

	// RiverSchema is the schema of River's tables. Defaults to db.DefaultRiverSchema.
	RiverSchema string
}

// Conn is what runs several transactions: a pool or a connection.
type Conn interface {
	db.Beginner
	db.Querier
}

// Outbox runs the steps of the protocol. It starts nothing, and holds no state but when it has announced jobs; it is safe
// for concurrent use.
type Outbox struct {
	lease     time.Duration
	budgets   map[string]Budget
	river     riverSchema
	queries   *dbsqlc.Queries
	announcer *announcer
}

// New returns an Outbox.
func New(config Config) *Outbox {
	if config.Lease == 0 {
		config.Lease = DefaultLease
	}
	return &Outbox{
		lease:   config.Lease,
		budgets: config.Budgets,
		river:   newRiverSchema(config.RiverSchema),
		queries: dbsqlc.New(),

		announcer: newAnnouncer(),
	}
}

// Lease returns how long a claim holds without a result.
func (o *Outbox) Lease() time.Duration { return o.lease }
