package housekeeping

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/claimsync/claimsync/internal/logtest"
)

// Of every table what is old goes and what is young stays, and so does what the deliveries were of.
func TestOldGoes(t *testing.T) {
	h := newHouse(t)
	h.deliver(3, 61*time.Minute)
	h.deliver(2, 59*time.Minute)
	const outbox = `SELECT o::text FROM outbox AS o ORDER BY key`
	var before []string
	h.must(h.pool.QueryRow(t.Context(), `SELECT array_agg(o::text ORDER BY key) FROM outbox AS o`).Scan(&before))
	for name, age := range map[string]string{"old": "61 min", "young": "59 min"} {
		h.exec(`INSERT INTO operator_action (at, operator, origin, action, target) VALUES (now() - $2::text::interval, 'o', '', 'redrive', $1)`, name, age)
		h.exec(`INSERT INTO outbox_activity VALUES ($1, now() - $2::text::interval, 'applied', 1)`, topic, age)
		h.exec(`INSERT INTO clerk_event (id, type, organization, received_at) VALUES ($1, 't', 'o', now() - $2::text::interval)`, name, age)
		h.exec(`INSERT INTO process (id, hostname, pid, version, started_at, seen_at)
			VALUES (gen_random_uuid(), $1, 1, 'v', now() - interval '1 day', now() - $2::text::interval)`, name, age)
	}
	var log logtest.Journal
	k := h.keeper(func(c *Config) {
		c.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	h.must(k.Round(t.Context()))
	h.expect("deliveries", `SELECT count(*) || ' ' || bool_and(finished_at > now() - interval '1 h') FROM outbox_delivery`, "2 true")
	h.expect("operator log", `SELECT target FROM operator_action`, "young")
	h.expect("activity", `SELECT count(*) || ' ' || bool_and(begins_at > now() - interval '1 h') FROM outbox_activity`, "1 true")
	h.expect("events", `SELECT id FROM clerk_event`, "young")
	h.expect("processes", `SELECT hostname FROM process`, "young")
	h.expect("outbox", outbox, before...)
	for _, said := range []string{"table=outbox_delivery rows=3", "table=operator_action rows=1", "table=outbox_activity rows=1",
		"table=clerk_event rows=1", "table=process rows=1"} {
		if !strings.Contains(log.String(), said) {
			t.Errorf("the log does not say %q:\n%s", said, log.String())
		}
	}
}

// What is to be kept forever is.
func TestForever(t *testing.T) {
	h := newHouse(t)
	h.deliver(3, 10*365*24*time.Hour)
	h.must(h.keeper(func(c *Config) { c.Retention.Deliveries = Forever }).Round(t.Context()))
	if n := h.count(`SELECT count(*) FROM outbox_delivery`); n != 3 {
		t.Errorf("%d deliveries, want 3", n)
	}
}

// However much is old, no statement deletes more than a batch, and the oldest go first.
func TestBatches(t *testing.T) {
	h := newHouse(t)
	h.exec(`CREATE TABLE batch (id int GENERATED ALWAYS AS IDENTITY, of text, n int, newest timestamptz)`)
	for table, column := range map[string]string{
		"outbox_delivery": "finished_at", "operator_action": "at", "outbox_activity": "begins_at", "clerk_event": "received_at",
		"process": "seen_at",
	} {
		h.exec(`CREATE FUNCTION note_` + table + `() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
			INSERT INTO batch (of, n, newest) SELECT '` + table + `', count(*), max(` + column + `) FROM gone HAVING count(*) > 0;
			RETURN NULL; END $$`)
		h.exec(`CREATE TRIGGER note AFTER DELETE ON ` + table + ` REFERENCING OLD TABLE AS gone EXECUTE FUNCTION note_` + table + `()`)
	}
	h.deliver(25, 2*time.Hour)
	h.exec(`INSERT INTO operator_action (at, operator, origin, action, target)
		SELECT now() - interval '2 h' + i * interval '1 s', 'o', '', 'redrive', '' FROM generate_series(1, 25) AS i`)
	h.exec(`INSERT INTO outbox_activity SELECT $1, now() - interval '2 h' + i * interval '1 s', 'applied', 1 FROM generate_series(1, 25) AS i`, topic)
	h.exec(`INSERT INTO clerk_event (id, type, organization, received_at)
		SELECT i, 't', 'o', now() - interval '2 h' + i * interval '1 s' FROM generate_series(1, 25) AS i`)
	h.exec(`INSERT INTO process (id, hostname, pid, version, seen_at)
		SELECT gen_random_uuid(), 'h', 1, 'v', now() - interval '2 h' FROM generate_series(1, 25) AS i`)
	h.must(h.keeper(inBatches(10)).Round(t.Context()))
	h.expect("batches", `SELECT of || ': ' || string_agg(n::text, ' ' ORDER BY id) || ' ' || (array_agg(newest ORDER BY id) = array_agg(newest ORDER BY newest, id))
		FROM batch GROUP BY of ORDER BY of`,
		"clerk_event: 10 10 5 true", "operator_action: 10 10 5 true", "outbox_activity: 10 10 5 true",
		"outbox_delivery: 10 10 5 true", "process: 10 10 5 true")
}

// Each batch begins where the one before ended, and not among what was deleted before.
func TestBatchesGoOn(t *testing.T) {
	h := newHouse(t)
	h.deliver(1, 3*time.Hour)
	h.deliver(2, 2*time.Hour)
	k, since := h.keeper(), time.Now().Add(-150*time.Minute)
	h.exec(`INSERT INTO clerk_event (id, type, organization, received_at)
		SELECT age, 't', 'o', now() - age::interval FROM unnest(ARRAY['3 h', '2 h', '1 min']) AS age`)
	for _, prune := range []func(context.Context, time.Time) (int64, time.Time, error){k.pruneDeliveries, k.pruneEvents} {
		_, last, err := prune(t.Context(), since)
		h.must(err)
		if age := time.Since(last); age < 2*time.Hour || age > 2*time.Hour+time.Minute {
			t.Errorf("it ended with what is %s old", age)
		}
	}
	h.expect("deliveries", `SELECT count(*) || ' ' || bool_and(finished_at < now() - interval '3 h') FROM outbox_delivery`, "1 true")
	h.expect("events", `SELECT id FROM clerk_event ORDER BY id`, "1 min", "3 h")
}

// With more to do than fits into a round, the next one is at once, and does some more.
func TestLongRounds(t *testing.T) {
	h := newHouse(t)
	h.deliver(30, 2*time.Hour)
	k := h.keeper(inBatches(10))
	k.round = 0
	h.must(k.Round(t.Context()))
	if n := h.count(`SELECT count(*) FROM housekeeping WHERE next_at <= clock_timestamp()`); n != 1 {
		t.Error("the next round is not at once")
	}
	if n := h.count(`SELECT count(*) FROM outbox_delivery`); n != 30 {
		t.Errorf("%d deliveries are left: the time was up", n)
	}
	k.round = time.Minute
	h.must(k.Round(t.Context()))
	h.expect("left", `SELECT version::text FROM outbox_delivery`)
}

// Told to stop, it does not go on to the next batch. It rests after each for as long as it took.
func TestStops(t *testing.T) {
	h := newHouse(t)
	h.deliver(100, 2*time.Hour)
	h.exec(`CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.05); RETURN NULL; END $$`)
	h.exec(`CREATE TRIGGER slow AFTER DELETE ON outbox_delivery EXECUTE FUNCTION slow()`)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	begun := time.Now()
	go func() { defer close(ended); h.keeper(inBatches(1)).Run(ctx) }()
	h.until("it is at it", func() bool { return h.count(`SELECT count(*) FROM outbox_delivery`) < 92 })
	cancel()
	told := time.Now()
	<-ended
	if took := time.Since(told); took > 2*time.Second {
		t.Errorf("it took %s to stop", took)
	}
	left := h.count(`SELECT count(*) FROM outbox_delivery`)
	if most := int(told.Sub(begun)/(100*time.Millisecond)) + 2; left == 0 || 100-left > most {
		t.Errorf("%d batches of 50 ms in %s, want at most %d", 100-left, told.Sub(begun), most)
	}
}
