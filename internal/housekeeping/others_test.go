package housekeeping

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/claimsync/claimsync/db/dbsqlc"
	"github.com/claimsync/claimsync/internal/recurring"
)

// A row that somebody has locked is neither waited for nor in the way of others, and goes later.
func TestLockedRows(t *testing.T) {
	h := newHouse(t)
	h.deliver(25, 2*time.Hour)
	release := h.lock(`SELECT FROM outbox_delivery WHERE version IN (7, 8, 25) FOR KEY SHARE`)
	k := h.keeper(inBatches(10))
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	h.must(k.Round(ctx))
	h.expect("left", `SELECT d.version::text FROM outbox_delivery AS d ORDER BY d.version`, "7", "8", "25")
	release()
	h.keepNow(k)
	h.expect("left later", `SELECT version::text FROM outbox_delivery`)
}

// A marker, a claim and an acknowledgement hold the outbox row: deleting what was delivered of it does not wait for them.
func TestOutboxRowsInUse(t *testing.T) {
	h := newHouse(t)
	h.deliver(3, 2*time.Hour)
	h.lock(`UPDATE outbox SET desired_version = 2, dirty_since = now() WHERE key = 'a'`)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	h.must(h.keeper().Round(ctx))
	h.expect("left", `SELECT version::text FROM outbox_delivery`)
}

// Somebody who holds a whole table, such as a migration, makes a round fail, and does not keep it.
func TestLockedTable(t *testing.T) {
	h := newHouse(t)
	h.lock(`LOCK TABLE operator_action`)
	k := h.keeper()
	k.timeout = 50 * time.Millisecond
	begun := time.Now()
	if err := k.Round(t.Context()); !errors.Is(err, context.DeadlineExceeded) || time.Since(begun) > batchTimeout/2 {
		t.Errorf("after %s: %v", time.Since(begun), err)
	}
}

// Two that are at it at the same time, since one has outlived its turn, do no harm.
func TestTwoAtOnce(t *testing.T) {
	h := newHouse(t)
	h.deliver(2000, 2*time.Hour)
	h.deliver(10, 0)
	ended := make(chan error, 2)
	for range 2 {
		k := h.keeper(inBatches(50))
		go func() {
			for _, table := range k.tables() {
				if _, err := k.clear(t.Context(), table, time.Now().Add(time.Minute)); err != nil {
					ended <- err
					return
				}
			}
			ended <- nil
		}()
	}
	h.must(<-ended)
	h.must(<-ended)
	if n := h.count(`SELECT count(*) FROM outbox_delivery`); n != 10 {
		t.Errorf("%d deliveries are left, want the 10 young ones", n)
	}
}

// While one process is at it, another does nothing; nor soon after.
func TestOneAtATime(t *testing.T) {
	h := newHouse(t)
	h.deliver(3, 2*time.Hour)
	first, second := h.keeper(), h.keeper()
	release := h.lock(`LOCK TABLE outbox_delivery IN SHARE MODE`)
	ended := make(chan error, 1)
	go func() { ended <- first.Round(t.Context()) }()
	h.until("the first is at it", func() bool {
		return h.count(`SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'outbox_delivery'::regclass`) == 1
	})
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	h.skips(second.Round(ctx)) // would wait for the table too
	release()
	h.must(<-ended)
	h.expect("left", `SELECT version::text FROM outbox_delivery`)

	h.deliver(3, 2*time.Hour)
	h.skips(second.Round(t.Context()))
	if n := h.count(`SELECT count(*) FROM outbox_delivery`); n != 3 {
		t.Errorf("%d deliveries: it was kept at once again", n)
	}
	if n := h.count(`SELECT count(*) FROM housekeeping WHERE next_at BETWEEN now() + interval '5 s' AND now() + interval '10 s'`); n != 1 {
		t.Error("it will not be kept about as often as said")
	}
}

// skips expects a round that was none.
func (h *house) skips(err error) {
	h.t.Helper()
	if !errors.Is(err, recurring.ErrSkipped) {
		h.t.Errorf("%v, want nothing to be done", err)
	}
}

// A process that died at it keeps the others away for as long as a round may take, and not longer.
func TestTurnOfTheDead(t *testing.T) {
	h := newHouse(t)
	h.deliver(3, 2*time.Hour)
	k := h.keeper()
	h.exec(`INSERT INTO housekeeping (next_at) VALUES (now() + interval '1 min')`)
	h.skips(k.Round(t.Context()))
	if n := h.count(`SELECT count(*) FROM outbox_delivery`); n != 3 {
		t.Fatalf("%d deliveries: the turn was not heeded", n)
	}
	h.exec(`UPDATE housekeeping SET next_at = now() - interval '1 ms'`)
	h.must(k.Round(t.Context()))
	h.expect("left", `SELECT version::text FROM outbox_delivery`)

	others := time.Now().Add(time.Hour) // it was over, and has become another's
	h.must(k.queries.HousekeepingEnd(t.Context(), h.pool, dbsqlc.HousekeepingEndParams{TurnEnds: others}))
	if n := h.count(`SELECT count(*) FROM housekeeping WHERE next_at > now() + interval '5 s'`); n != 1 {
		t.Error("another's turn was ended")
	}

	h.exec(`ALTER TABLE outbox_delivery RENAME TO elsewhere`)
	h.exec(`UPDATE housekeeping SET next_at = now()`)
	if err := k.Round(t.Context()); err == nil || !strings.Contains(err.Error(), "outbox_delivery") {
		t.Errorf("got %v, want a failure that names the table", err)
	}
	if n := h.count(`SELECT count(*) FROM housekeeping WHERE next_at BETWEEN now() + interval '20 s' AND now() + interval '35 s'`); n != 1 {
		t.Error("the turn of one that failed is over at once, or lasts")
	}
}
