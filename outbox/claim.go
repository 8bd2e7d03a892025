package outbox

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/claimsync/claimsync/db"
	"github.com/claimsync/claimsync/db/dbsqlc"
)

// Verdict says whether a row was claimed, and if not, why.
type Verdict string

// The verdicts of a claim.
const (
	Claimed    Verdict = "claimed"    // to be delivered
	Unverified Verdict = "unverified" // claimed too: synced, but in doubt, and to be read back
	Clean      Verdict = "clean"      // nothing to do, or no such row
	Parked     Verdict = "parked"     // given up until a change or a person says otherwise
	Leased     Verdict = "leased"     // another worker is at it
	NotDue     Verdict = "not_due"    // waiting after a failure
	Paced      Verdict = "paced"      // the key's own budget is used up
	Blocked    Verdict = "blocked"    // the destination told everybody to wait
	Open       Verdict = "open"       // the breaker holds everybody back
	Locked     Verdict = "locked"     // a transaction holds the row and does not end
)

// Claim is the answer to an attempt to take a row's lease.
type Claim struct {
	Verdict Verdict
	Until   time.Time     // for Leased, NotDue, Paced and Blocked: when to ask again, by the database's clock
	Wait    time.Duration // from then on until Until, for whoever has another clock
	Lease   Lease         // for Claimed and Unverified
}

// Held tells whether the lease was taken.
func (c Claim) Held() bool { return c.Verdict == Claimed || c.Verdict == Unverified }

// Lease is the right to deliver one row, until it expires.
type Lease struct {
	Topic      string
	Key        string
	Version    int64     // what is acknowledged: the state that is delivered must not be older
	JobID      int64     // the River job it was claimed for; 0: a probe
	DirtySince time.Time // when the oldest change that is not yet synced was made; zero for Unverified
	Failures   int       // failed deliveries since the last success

	token uuid.UUID
}

// Batcher sends several queries in one round trip: a pool or a connection.
type Batcher interface {
	SendBatch(ctx context.Context, batch *pgx.Batch) pgx.BatchResults
}

// Claim takes the lease of a row for the job, if the row is dirty or to be verified, not parked, due and not leased, and
// neither the destination nor the key's own budget is in the way. It is one round trip.
func (o *Outbox) Claim(ctx context.Context, conn Batcher, topic, key string, jobID int64) (Claim, error) {
	return o.claim(ctx, conn, topic, key, jobID, false)
}

// ClaimProbe is Claim for a probe: the breaker does not hold it back, nor does the delay after a failure.
func (o *Outbox) ClaimProbe(ctx context.Context, conn Batcher, topic, key string) (Claim, error) {
	return o.claim(ctx, conn, topic, key, 0, true)
}

func (o *Outbox) claim(ctx context.Context, conn Batcher, topic, key string, jobID int64, probe bool) (Claim, error) {
	spacing, burst := o.budgets[topic].keySpacing()
	// A batch is one implicit transaction, so the setting reaches the claim and nothing after it.
	batch := &pgx.Batch{}
	batch.Queue("SELECT set_config('lock_timeout', $1, true)", claimLockTimeout)
	batch.Queue(dbsqlc.OutboxClaim, probe, burst, topic, key, o.lease, jobIDOrNull(jobID), spacing, verifyAfter)
	results := conn.SendBatch(ctx, batch)
	_, err := results.Exec()
	var row dbsqlc.OutboxClaimRow
	if err == nil {
		err = results.QueryRow().Scan(
			&row.Verdict, &row.Until, &row.Wait, &row.LeaseToken, &row.LeaseVersion, &row.DirtySince, &row.Failures,
		)
	}
	if closeErr := results.Close(); err == nil {
		err = closeErr
	}
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return Claim{Verdict: Clean}, nil
	case db.Code(err) == "55P03": // lock_not_available
		return Claim{Verdict: Locked}, nil
	case err != nil:
		return Claim{}, fmt.Errorf("claiming outbox row %s/%s: %w", topic, key, err)
	}

	claim := Claim{Verdict: Verdict(row.Verdict), Until: row.Until, Wait: row.Wait}
	if row.LeaseToken != nil {
		claim.Lease = Lease{
			Topic: topic, Key: key, JobID: jobID,
			Version: *row.LeaseVersion, Failures: int(*row.Failures), token: *row.LeaseToken,
		}
	}
	if row.DirtySince != nil {
		claim.Lease.DirtySince = *row.DirtySince
	}
	return claim, nil
}

func (l Lease) jobID() *int64 { return jobIDOrNull(l.JobID) }

func jobIDOrNull(id int64) *int64 {
	if id == 0 {
		return nil
	}
	return &id
}
