package outbox

import (
	"context"
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

// ClaimRequest asks for the lease of a key's row, for a job.
type ClaimRequest struct {
	Key   string
	JobID int64 // 0: a probe
}

// Claim takes the lease of a row for the job, if the row is dirty or to be verified, not parked, due and not leased, and
// neither the destination nor the key's own budget is in the way. It waits for a moment for a row that is locked. It is one
// round trip.
func (o *Outbox) Claim(ctx context.Context, conn Batcher, topic, key string, jobID int64) (Claim, error) {
	return o.claimOne(ctx, conn, topic, ClaimRequest{Key: key, JobID: jobID}, false)
}

// ClaimProbe is Claim for a probe: the breaker does not hold it back, nor does the delay after a failure.
func (o *Outbox) ClaimProbe(ctx context.Context, conn Batcher, topic, key string) (Claim, error) {
	return o.claimOne(ctx, conn, topic, ClaimRequest{Key: key}, true)
}

// ClaimEach is Claim for several rows of a topic at once, but waits for none: of one that is locked, is not there, or is
// asked for twice, the claim is nil. Then Claim knows more.
func (o *Outbox) ClaimEach(ctx context.Context, conn Batcher, topic string, requests []ClaimRequest) ([]*Claim, error) {
	batch := &pgx.Batch{}
	quickly(batch)
	claims := o.queueClaims(batch, topic, requests, false)
	if err := conn.SendBatch(ctx, batch).Close(); err != nil {
		return nil, fmt.Errorf("claiming %d outbox rows of %s: %w", len(requests), topic, err)
	}
	return claims, nil
}

func (o *Outbox) claimOne(ctx context.Context, conn Batcher, topic string, request ClaimRequest, probe bool) (Claim, error) {
	batch := &pgx.Batch{}
	quickly(batch)
	batch.Queue(dbsqlc.OutboxLock, topic, request.Key)
	claims := o.queueClaims(batch, topic, []ClaimRequest{request}, probe)
	err := conn.SendBatch(ctx, batch).Close()
	switch {
	case db.Code(err) == "55P03": // lock_not_available
		return Claim{Verdict: Locked}, nil
	case err != nil:
		return Claim{}, fmt.Errorf("claiming outbox row %s/%s: %w", topic, request.Key, err)
	case claims[0] == nil:
		return Claim{Verdict: Clean}, nil
	}
	return *claims[0], nil
}

// quickly bounds how long what follows waits for locks, and has it find rows by their keys: where there are a few thousand,
// PostgreSQL would rather read all of them for twenty, which takes ten times as long. A batch is one implicit transaction, so
// the settings reach the rest of it and nothing after it.
func quickly(batch *pgx.Batch) {
	batch.Queue("SELECT set_config('lock_timeout', $1, true), set_config('enable_seqscan', 'off', true)", claimLockTimeout)
}

// queueClaims queues the claims of rows that are there and not locked, and returns where they will be, as ordered as the
// requests.
func (o *Outbox) queueClaims(batch *pgx.Batch, topic string, requests []ClaimRequest, probe bool) []*Claim {
	claims := make([]*Claim, len(requests))
	places := make(map[string]int, len(requests))
	var keys []string
	var jobs []*int64
	for i, request := range requests {
		if _, taken := places[request.Key]; taken {
			continue // there is one lease
		}
		places[request.Key] = i
		keys, jobs = append(keys, request.Key), append(jobs, jobIDOrNull(request.JobID))
	}
	spacing, burst := o.budgets[topic].keySpacing()
	batch.Queue(dbsqlc.OutboxClaim, probe, burst, keys, jobs, topic, o.lease, spacing, verifyAfter).Query(func(rows pgx.Rows) error {
		found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[dbsqlc.OutboxClaimRow])
		for _, row := range found {
			place := places[row.Key]
			claims[place] = claimOf(topic, requests[place].JobID, row)
		}
		return err
	})
	return claims
}

func claimOf(topic string, jobID int64, row dbsqlc.OutboxClaimRow) *Claim {
	claim := &Claim{Verdict: Verdict(row.Verdict), Until: row.Until, Wait: row.Wait}
	if row.LeaseToken != nil {
		claim.Lease = Lease{
			Topic: topic, Key: row.Key, JobID: jobID,
			Version: *row.LeaseVersion, Failures: int(*row.Failures), token: *row.LeaseToken,
		}
	}
	if row.DirtySince != nil {
		claim.Lease.DirtySince = *row.DirtySince
	}
	return claim
}

func (l Lease) jobID() *int64 { return jobIDOrNull(l.JobID) }

func jobIDOrNull(id int64) *int64 {
	if id == 0 {
		return nil
	}
	return &id
}
