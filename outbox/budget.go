package outbox

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/claimsync/claimsync/db"
	"github.com/claimsync/claimsync/db/dbsqlc"
)

// Limit is how many calls a destination admits in any span of time of the length of Window. Zero Calls: any number. With
// Calls, Window is required.
type Limit struct {
	Calls  int
	Window time.Duration
}

// Budget is what the whole fleet may ask of a destination together. The zero value bounds nothing.
type Budget struct {
	// Fleet bounds all calls, those that read included.
	Fleet Limit
	// Key bounds the deliveries of one key.
	Key Limit
	// Share of both limits is ours, above 0 and up to 1: others may use the destination too. Defaults to DefaultShare.
	Share float64
}

// DefaultShare leaves a tenth to others.
const DefaultShare = 0.9

const (
	// jitter is by how much two calls may come closer to one another on their way than they were apart when they were
	// begun: the window is taken to be so much longer than it is.
	jitter = 300 * time.Millisecond
	// catchUp is how far back slots can be made up for that were missed, by a busy machine. It comes out of jitter.
	catchUp = 100 * time.Millisecond
	// keyBurst is how many deliveries of one key may follow one another at once: a second change soon after the first,
	// and the push again after an ambiguous answer, do not wait. The price is a longer wait of the third.
	keyBurst = 2

	// What others use cannot be seen, but by being limited although we keep to our budget. Then it is made smaller, once
	// for each block, and grows back by half a percent of the whole per second. A simulation of exact windows with a
	// competitor gave these: within an eighth of what is possible, whether it takes a fifth or a half of the limit, with a
	// refusal every ten to twenty seconds. Shrinking to 0.7 fell to a third where the competitor is small.
	rateDecrease = 0.8
	rateCreep    = 0.005
	rateLeast    = 0.02
)

// Validate returns what is wrong with the budget: a limit of calls in no time, or in less than none, and more calls than one a
// microsecond, which is PostgreSQL's unit of time. What is not to be bounded has no limit instead.
func (b Budget) Validate() error {
	if !(b.Share >= 0 && b.Share <= 1) { // nor NaN
		return fmt.Errorf("a share of %g, not above 0 and up to 1", b.Share)
	}
	return errors.Join(b.validate("Fleet", b.Fleet), b.validate("Key", b.Key))
}

func (b Budget) validate(name string, limit Limit) error {
	switch {
	case limit.Calls < 0 || limit.Window < 0:
		return fmt.Errorf("%s has %d calls in %s, less than none", name, limit.Calls, limit.Window)
	case limit.Calls > 0 && limit.Window == 0:
		return fmt.Errorf("%s has %d calls and no Window", name, limit.Calls)
	case limit.Calls > 0 && limit.Window/time.Duration(limit.Calls) < time.Microsecond:
		return fmt.Errorf("%s has %d calls in %s, more than one a microsecond", name, limit.Calls, limit.Window)
	}
	return nil
}

// calls is how many of a limit's are ours; at least one, or nothing would ever be delivered.
func (b Budget) calls(limit Limit) int {
	share := b.Share
	if share == 0 {
		share = DefaultShare
	}
	return max(1, int(math.Floor(float64(limit.Calls)*share)))
}

// fleetSpacing is the time between two calls of the fleet; 0: none.
func (b Budget) fleetSpacing() time.Duration {
	if b.Fleet.Calls <= 0 {
		return 0
	}
	return (b.Fleet.Window + jitter) / time.Duration(b.calls(b.Fleet))
}

// keySpacing is the time between two deliveries of a key, and burst how far ahead of it they may be. In any window there
// are keyBurst plus what the spacing admits.
func (b Budget) keySpacing() (spacing, burst time.Duration) {
	if b.Key.Calls <= 0 {
		return 0, 0
	}
	calls := b.calls(b.Key)
	atOnce := min(keyBurst, calls)
	spacing = (b.Key.Window + jitter) / time.Duration(calls-atOnce+1)
	return spacing, time.Duration(atOnce-1) * spacing
}

// Reservation is the answer to a request for a slot of the fleet's budget.
type Reservation struct {
	Granted bool
	// Wait is until the slot, or if none was granted until it makes sense to ask again. 0, if nobody can know that.
	Wait time.Duration
}

// Limited reports whether the topic has a budget for the fleet: if not, Reserve need not be asked.
func (o *Outbox) Limited(topic string) bool { return o.budgets[topic].Fleet.Calls > 0 }

// Reserve reserves the next slot of the fleet's budget, for the caller to call the destination at: it is the caller's even
// if that dies. What is more urgent than anything below PriorityLive is served first: others get only what is spare at
// the moment, that is when nobody has reserved a slot ahead. Nothing is granted while the destination is blocked, or but
// for a probe while the breaker is open.
func (o *Outbox) Reserve(ctx context.Context, conn Batcher, topic string, priority Priority, probe bool) (Reservation, error) {
	row, err := o.reserve(ctx, conn, topic, priority, probe)
	if errors.Is(err, pgx.ErrNoRows) { // the first call ever
		if err := o.ensure(ctx, conn, topic); err != nil {
			return Reservation{}, err
		}
		row, err = o.reserve(ctx, conn, topic, priority, probe)
	}
	if err != nil {
		return Reservation{}, fmt.Errorf("reserving a call of %s: %w", topic, err)
	}
	return Reservation{Granted: row.Verdict == "granted", Wait: row.Wait}, nil
}

func (o *Outbox) reserve(
	ctx context.Context, conn Batcher, topic string, priority Priority, probe bool,
) (row dbsqlc.DestinationReserveRow, err error) {
	// What a crash of the server makes it forget is less than it is away for.
	batch := &pgx.Batch{}
	batch.Queue("SELECT set_config('synchronous_commit', 'off', true)")
	batch.Queue(dbsqlc.DestinationReserve, catchUp, probe, priority > PriorityLive, o.budgets[topic].fleetSpacing(), rateCreep, topic)
	results := conn.SendBatch(ctx, batch)
	if _, err = results.Exec(); err == nil {
		err = results.QueryRow().Scan(&row.Verdict, &row.Wait)
	}
	if closeErr := results.Close(); err == nil {
		err = closeErr
	}
	return row, err
}

// ensure creates the topic's row.
func (o *Outbox) ensure(ctx context.Context, conn Batcher, topic string) error {
	batch := &pgx.Batch{}
	batch.Queue(dbsqlc.DestinationEnsure, topic)
	if err := conn.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("creating destination %s: %w", topic, err)
	}
	return nil
}

// Block keeps the whole fleet from calling the destination for delay. It never shortens a block.
func (o *Outbox) Block(ctx context.Context, conn db.Querier, topic string, delay time.Duration, reason string) error {
	_, err := o.holdBack(ctx, conn, topic, delay, reason, 1)
	return err
}

// Throttle is Block that makes the budget smaller too: we were told to wait although we kept to it, so others use what we
// counted on. Returns how much of the budget is used afterwards, 0 to 1.
func (o *Outbox) Throttle(ctx context.Context, conn db.Querier, topic string, delay time.Duration, reason string) (rate float64, err error) {
	return o.holdBack(ctx, conn, topic, delay, reason, rateDecrease)
}

func (o *Outbox) holdBack(
	ctx context.Context, conn db.Querier, topic string, delay time.Duration, reason string, decrease float64,
) (rate float64, err error) {
	row, err := o.queries.DestinationHoldBack(ctx, conn, dbsqlc.DestinationHoldBackParams{
		Topic: topic, Delay: delay, Reason: truncate(reason), Decrease: decrease, Least: rateLeast, Creep: rateCreep,
	})
	if err != nil {
		return 0, fmt.Errorf("blocking destination %s: %w", topic, err)
	}
	return row.RateFactor, nil
}

// CallsPerSecond is how many calls of the topic's destination the whole fleet may make; 0: any number.
func (o *Outbox) CallsPerSecond(topic string) float64 {
	spacing := o.budgets[topic].fleetSpacing()
	if spacing == 0 {
		return 0
	}
	return 1 / spacing.Seconds()
}
