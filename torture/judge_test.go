package torture

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/claimsync/claimsync"
	"github.com/claimsync/claimsync/clerk/clerktest"
	"github.com/claimsync/claimsync/db/dbsqlc"
)

// record is all that is known of one key: what was committed, what Clerk was sent, what the outbox says.
type record struct {
	key        string
	changes    []committed // in the order of commit
	writes     []clerktest.Write
	requests   []clerktest.Request
	row        dbsqlc.Outbox
	deliveries []dbsqlc.OutboxDelivery // oldest first
	inFlight   int                     // the most at once
	clerk      clerktest.Organization  // as it is at Clerk in the end
}

// committed is one committed change.
type committed struct {
	N, Version int64
	At         time.Time
}

// claims are what Clerk was sent, or has.
type claims struct {
	Tier      string `json:"certification_tier"`
	Score     *int64 `json:"compliance_score"`
	Insurance *bool  `json:"insurance_valid"`
}

func claimsOf(metadata json.RawMessage) (c claims) {
	_ = json.Unmarshal(metadata, &c) // what is not ours is a difference
	return c
}

// code is the number of the change that the claims are of, modulo codes; false if they are of no committed change.
func (c claims) code() (int64, bool) {
	if c.Score == nil || c.Insurance == nil {
		return 0, false
	}
	code := *c.Score
	if c.Tier == "MASTER_ROOFER" {
		code += 101
	}
	if *c.Insurance {
		code += 202
	}
	return code, c.Tier != rolledBackTier
}

// tolerance is what a scenario's faults excuse.
type tolerance struct {
	zombies bool // a process was stopped or cut off from Clerk for longer than a lease: its push may still be in flight
}

// judge holds what happened to the promises. The fleet has to be settled. It reports each key that breaks one, with
// its history, and returns the figures of the run.
func (f *fleet) judge(allowed tolerance) figures {
	f.t.Helper()
	records := f.records()
	var sum figures
	for _, r := range records {
		problems := r.problems(allowed)
		sum.add(r)
		for _, problem := range problems {
			f.t.Errorf("%s: %s", r.key, problem)
		}
		if len(problems) == 0 {
			continue
		}
		if sum.wrong++; sum.wrong <= 2 {
			f.t.Logf("history of %s:\n%s", r.key, f.history(r))
		}
	}
	sum.jobs = query[int](f, `SELECT count(*) FROM river.river_job WHERE kind = 'outbox_delivery'`)
	return sum
}

// figures sum up a run.
type figures struct {
	keys, changes, pushes, verifications int
	jobs                                 int
	duplicates                           int // pushes of a version beyond its first
	backwards                            int // older states that landed over newer ones, and were repaired
	inFlight                             int // the most of one key at once
	wrong                                int // keys that break a promise
}

func (s *figures) add(r *record) {
	s.keys++
	s.changes += len(r.changes)
	s.inFlight = max(s.inFlight, r.inFlight)
	for _, request := range r.requests {
		switch request.Method {
		case "PATCH":
			s.pushes++
		case "GET":
			s.verifications++
		}
	}
	for _, n := range r.pushesByVersion() {
		s.duplicates += n - 1
	}
	s.backwards += len(r.backwards())
}

// problems are the promises that the record breaks.
func (r *record) problems(allowed tolerance) []string {
	return slices.Concat(r.notInStep(), r.neverCommitted(), r.outOfOrder(), r.repeated(), r.notAlone(allowed))
}

// notInStep: P1, P3 and P8. In the end Clerk has the newest state, and nothing is parked: no scenario has an answer that is final.
func (r *record) notInStep() (problems []string) {
	switch {
	case r.row.ParkedAt != nil:
		problems = append(problems, "P8: parked: "+*r.row.ParkedReason)
	case r.row.DirtySince != nil:
		problems = append(problems, fmt.Sprintf("P1: still dirty, since %s", r.row.DirtySince))
	}
	if len(r.changes) == 0 {
		return problems
	}
	last := r.changes[len(r.changes)-1]
	if code, ok := claimsOf(r.clerk.PublicMetadata).code(); !ok || code != last.N%codes {
		problems = append(problems, fmt.Sprintf("P1: Clerk has code %d, want %d, that of change %d", code, last.N%codes, last.N))
	}
	if len(r.writes) > 0 && r.writes[len(r.writes)-1].Version != r.row.DesiredVersion {
		problems = append(problems, fmt.Sprintf("P3: Clerk settled on version %d of %d",
			r.writes[len(r.writes)-1].Version, r.row.DesiredVersion))
	}
	return problems
}

// neverCommitted: P2 and P1. Whatever was sent had been committed, and was no older than the version it was sent as.
// An organization that was changed through the API alone has no numbers.
func (r *record) neverCommitted() (problems []string) {
	if len(r.changes) == 0 {
		return nil
	}
	for _, write := range r.writes {
		code, ok := claimsOf(write.PublicMetadata).code()
		if !ok {
			problems = append(problems, fmt.Sprintf("P2: write %d is of a state that was never committed: %s", write.Seq, write.PublicMetadata))
			continue
		}
		least := r.changeOf(write.Version)
		n := least + (code-least%codes+codes)%codes
		if n > 0 && !r.madeBefore(n, write.Started) {
			problems = append(problems, fmt.Sprintf("P1: write %d as version %d has code %d, which is neither change %d nor a later one that was there",
				write.Seq, write.Version, code, least))
		}
	}
	return problems
}

// madeBefore tells whether the change had been made at that time.
func (r *record) madeBefore(n int64, at time.Time) bool {
	return n <= int64(len(r.changes)) && r.changes[n-1].At.Before(at)
}

// changeOf is the number of the last change that the version includes; 0: the state before any.
func (r *record) changeOf(version int64) int64 {
	at, found := slices.BinarySearchFunc(r.changes, version, func(c committed, v int64) int { return int(c.Version - v) })
	if found {
		return r.changes[at].N
	}
	if at == 0 {
		return 0
	}
	return r.changes[at-1].N
}

// outOfOrder: P3. An older state lands over a newer one only if its push was given up on.
func (r *record) outOfOrder() (problems []string) {
	for _, write := range r.backwards() {
		if !write.Late && !r.givenUp(write.Version) {
			problems = append(problems, fmt.Sprintf("P3: write %d of version %d landed over a newer one, and nobody had given it up",
				write.Seq, write.Version))
		}
	}
	return problems
}

// backwards are the writes of a version that is older than what was there.
func (r *record) backwards() (backwards []clerktest.Write) {
	newest := int64(0)
	for _, write := range r.writes {
		if write.Version < newest {
			backwards = append(backwards, write)
		}
		newest = max(newest, write.Version)
	}
	return backwards
}

// givenUp tells whether the fate of a push of the version was unknown.
func (r *record) givenUp(version int64) bool { return r.unknownFates(version) > 0 }

func (r *record) unknownFates(version int64) (n int) {
	for _, delivery := range r.deliveries {
		switch delivery.Outcome {
		case dbsqlc.DeliveryOutcomeLost, dbsqlc.DeliveryOutcomeFenced, dbsqlc.DeliveryOutcomeAmbiguous,
			dbsqlc.DeliveryOutcomeCanceled, dbsqlc.DeliveryOutcomeOutage:
			if delivery.Version == version {
				n++
			}
		}
	}
	return n
}

// repeated: P5. A version is pushed again only if the fate of a push of it was unknown, and that is on record.
func (r *record) repeated() (problems []string) {
	for version, pushes := range r.pushesByVersion() {
		if unknown := r.unknownFates(version); pushes > 1+unknown {
			problems = append(problems, fmt.Sprintf("P5: version %d was applied %d times, and %d of unknown fate are on record",
				version, pushes, unknown))
		}
	}
	return problems
}

func (r *record) pushesByVersion() map[int64]int {
	pushes := map[int64]int{}
	for _, write := range r.writes {
		pushes[write.Version]++
	}
	return pushes
}

// notAlone: P3.
func (r *record) notAlone(allowed tolerance) []string {
	if r.inFlight <= 1 || allowed.zombies && r.inFlight == 2 {
		return nil
	}
	return []string{fmt.Sprintf("P3: %d pushes were in flight at once", r.inFlight)}
}

// records gathers what is known of each key.
func (f *fleet) records() []*record {
	f.t.Helper()
	records := make([]*record, len(f.keys))
	byKey := map[string]*record{}
	for i, key := range f.keys {
		records[i] = &record{key: key, inFlight: f.clerk.MaxInFlight(key)}
		records[i].clerk, _ = f.clerk.Organization(key)
		byKey[key] = records[i]
	}
	for _, write := range f.clerk.Writes() {
		if r := byKey[write.Organization]; r != nil {
			r.writes = append(r.writes, write)
		}
	}
	for _, request := range f.clerk.Requests() {
		if r := byKey[request.Organization]; r != nil {
			r.requests = append(r.requests, request)
		}
	}
	gather(f, `SELECT key, n, version, at FROM change ORDER BY key, n`, func(rows pgx.CollectableRow) error {
		var key string
		var c committed
		err := rows.Scan(&key, &c.N, &c.Version, &c.At)
		byKey[key].changes = append(byKey[key].changes, c)
		return err
	})
	gather(f, `SELECT * FROM outbox_delivery WHERE topic = '`+claimsync.Topic+`' ORDER BY id`, func(row pgx.CollectableRow) error {
		delivery, err := pgx.RowToStructByPos[dbsqlc.OutboxDelivery](row)
		byKey[delivery.Key].deliveries = append(byKey[delivery.Key].deliveries, delivery)
		return err
	})
	gather(f, `SELECT * FROM outbox WHERE topic = '`+claimsync.Topic+`'`, func(row pgx.CollectableRow) error {
		found, err := pgx.RowToStructByPos[dbsqlc.Outbox](row)
		byKey[found.Key].row = found
		return err
	})
	return records
}

func gather(f *fleet, sql string, scan func(pgx.CollectableRow) error) {
	f.t.Helper()
	rows, _ := f.pool.Query(f.t.Context(), sql) // its error is in rows
	for rows.Next() {
		if err := scan(rows); err != nil {
			f.t.Fatalf("%s: %v", sql, err)
		}
	}
	if err := rows.Err(); err != nil {
		f.t.Fatalf("%s: %v", sql, err)
	}
}

// settle waits until nothing is left to do: every key is clean or parked, and what was in doubt has been read back once.
// Returns how long it took.
func (f *fleet) settle(patience time.Duration) time.Duration {
	f.t.Helper()
	return f.until("settled", patience, func() bool {
		return query[int](f, `SELECT count(*) FROM outbox WHERE `+unsettled) == 0
	})
}

// unsettled is the condition of a row that is not settled yet.
const unsettled = `parked_at IS NULL AND (dirty_since IS NOT NULL OR lease_token IS NOT NULL
	OR verify_at < doubted_at + interval '15 seconds')`

// logUnsettled logs the history of keys that are not settled.
func (f *fleet) logUnsettled() {
	f.t.Helper()
	shown := map[string]bool{}
	gather(f, `SELECT key FROM outbox WHERE `+unsettled+` ORDER BY dirty_since, key LIMIT 2`, func(row pgx.CollectableRow) error {
		key, err := pgx.RowTo[string](row)
		shown[key] = true
		return err
	})
	if len(shown) == 0 {
		return
	}
	for _, r := range f.records() {
		if shown[r.key] {
			f.t.Logf("history of %s:\n%s", r.key, f.history(r))
		}
	}
}
