package outbox

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/claimsync/claimsync/db/dbsqlc"
)

// Workers learn of a job by a NOTIFY. In the transaction that inserts the job it comes exactly in time; but all commits
// that have one wait for one another, and a thousand a second tell no more than fifty. So a process announces in a
// transaction only if it has not announced anything lately, and leaves the others to Announce, which has to look when they
// end. Nothing depends on it but how soon a job is found: workers look by themselves too, if seldom.
const (
	// announceLeast is the least time between an announcement and the next one in a transaction.
	announceLeast = 20 * time.Millisecond
	// announceTick is the least time between two looks of Announce: shorter, so that while there are many transactions
	// none of them has to announce anything.
	announceTick = announceLeast / 2
	// announceTickMost is the longest: for a transaction that takes its time.
	announceTickMost = 100 * time.Millisecond
	// announceGiveUp is after what time a transaction that has not ended is left to those who look by themselves.
	announceGiveUp = time.Minute
	// announceMost is how many transactions are remembered: what 8 ms bring of more than a machine can do.
	announceMost = 10_000
)

// announcer knows what a process has announced, and what it owes.
type announcer struct {
	mu      sync.Mutex
	last    map[string]time.Time // when each topic was announced
	owed    map[owed]time.Time   // since when
	running int                  // calls of Announce
	woken   chan struct{}        // has room for one: something is owed
}

// owed is that a transaction inserted jobs of a topic and did not announce them.
type owed struct {
	topic string
	xid   int64
}

func newAnnouncer() *announcer {
	return &announcer{last: map[string]time.Time{}, owed: map[owed]time.Time{}, woken: make(chan struct{}, 1)}
}

// turn is a transaction's, to announce the jobs that it is about to insert, or to leave that to Announce.
type turn struct {
	announcer *announcer
	topic     string
	announces bool
	taken     time.Time // when it was, if it announces,
	before    time.Time // and when the announcement before it was
}

// turn decides. It has to be told what came of it, by done.
func (a *announcer) turn(topic string) turn {
	a.mu.Lock()
	defer a.mu.Unlock()
	now, before := time.Now(), a.last[topic]
	if now.Sub(before) < announceLeast {
		return turn{announcer: a, topic: topic}
	}
	a.last[topic] = now
	return turn{announcer: a, topic: topic, announces: true, taken: now, before: before}
}

// done notes whether jobs were inserted, and by which transaction. If none were, the next one may announce its own.
func (t turn) done(inserted bool, xid int64) {
	a := t.announcer
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case t.announces && !inserted && a.last[t.topic].Equal(t.taken):
		a.last[t.topic] = t.before
	case !t.announces && inserted && a.running > 0 && len(a.owed) < announceMost:
		a.owed[owed{t.topic, xid}] = time.Now()
		select {
		case a.woken <- struct{}{}:
		default:
		}
	}
}

// begin begins a run of Announce, and returns what ends it.
func (a *announcer) begin() (end func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.running++
	return func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		if a.running--; a.running == 0 {
			clear(a.owed)
		}
	}
}

// list returns what is owed.
func (a *announcer) list() (topics []string, xids []int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for of := range a.owed {
		topics, xids = append(topics, of.topic), append(xids, of.xid)
	}
	return topics, xids
}

// settle removes what was announced, and returns after what time to look again; 0: nothing is owed any more.
func (a *announcer) settle(announced []owed) time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := time.Now()
	for _, of := range announced {
		delete(a.owed, of)
		a.last[of.topic] = now
	}
	youngest := announceGiveUp
	for of, since := range a.owed {
		if age := now.Sub(since); age < announceGiveUp {
			youngest = min(youngest, age)
		} else {
			delete(a.owed, of)
		}
	}
	if len(a.owed) == 0 {
		return 0
	}
	return min(max(announceTick, youngest), announceTickMost)
}

// Announce tells workers of the jobs whose transactions did not, as soon as those have committed, until ctx is done or the
// database fails. It belongs into each process that marks; where it does not run, workers find those jobs by looking.
func (o *Outbox) Announce(ctx context.Context, conn Batcher) error {
	defer o.announcer.begin()()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-o.announcer.woken:
		}
		for wait := announceTick; wait > 0; {
			select {
			case <-ctx.Done():
				return nil
			case <-time.After(wait):
			}
			announced, err := o.announce(ctx, conn)
			if err != nil {
				return fmt.Errorf("announcing jobs: %w", err)
			}
			wait = o.announcer.settle(announced)
		}
	}
}

// announce announces what is owed of transactions that have ended.
func (o *Outbox) announce(ctx context.Context, conn Batcher) (announced []owed, err error) {
	topics, xids := o.announcer.list()
	batch := &pgx.Batch{}
	batch.Queue("SELECT set_config('synchronous_commit', 'off', true)") // nothing is written that could be lost
	batch.Queue(dbsqlc.OutboxAnnounce, o.river.channel(), topics, xids).Query(func(rows pgx.Rows) error {
		var of dbsqlc.OutboxAnnounceRow
		_, err := pgx.ForEachRow(rows, []any{&of.Topic, &of.Xids, &of.Announced}, func() error {
			for _, xid := range of.Xids {
				announced = append(announced, owed{of.Topic, xid})
			}
			return nil
		})
		return err
	})
	err = conn.SendBatch(ctx, batch).Close()
	return announced, err
}
