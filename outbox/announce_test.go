package outbox_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/claimsync/claimsync/db"
	"github.com/claimsync/claimsync/outbox"
)

// listener hears what River's workers would.
type listener struct {
	b    *bench
	conn *pgx.Conn
}

func (b *bench) listen(schema string) *listener {
	b.t.Helper()
	conn, err := pgx.ConnectConfig(b.t.Context(), b.pool.Config().ConnConfig)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = conn.Close(context.Background()) })
	if _, err := conn.Exec(b.t.Context(), `LISTEN "`+schema+`.river_insert"`); err != nil {
		b.t.Fatal(err)
	}
	return &listener{b, conn}
}

// within is how many announcements come in so long.
func (l *listener) within(d time.Duration) (heard int) {
	l.b.t.Helper()
	ctx, cancel := context.WithTimeout(l.b.t.Context(), d)
	defer cancel()
	for {
		announcement, err := l.conn.WaitForNotification(ctx)
		if ctx.Err() != nil {
			return heard
		}
		if err != nil {
			l.b.t.Fatal(err)
		}
		if want := `{"queue" : "test_topic"}`; announcement.Payload != want {
			l.b.t.Errorf("announced: %s, want %s", announcement.Payload, want)
		}
		heard++
	}
}

// await waits for an announcement.
func (l *listener) await() {
	l.b.t.Helper()
	ctx, cancel := context.WithTimeout(l.b.t.Context(), prompt)
	defer cancel()
	if _, err := l.conn.WaitForNotification(ctx); err != nil {
		l.b.t.Fatalf("no announcement: %v", err)
	}
}

// announce has the process announce what its transactions do not.
func (b *bench) announce() {
	b.t.Helper()
	ctx, cancel := context.WithCancel(b.t.Context())
	var announcing sync.WaitGroup
	announcing.Go(func() {
		if err := b.box.Announce(ctx, b.pool); err != nil && ctx.Err() == nil {
			b.t.Error(err)
		}
	})
	b.t.Cleanup(func() { cancel(); announcing.Wait() })
}

const (
	quiet  = 100 * time.Millisecond // longer than one announcement keeps others back
	prompt = 10 * time.Second
)

// The first job is announced by the transaction that inserts it, when that commits, and nobody has to help.
func TestAnnouncedByItsTransaction(t *testing.T) {
	b := newBench(t, outbox.Config{})
	l := b.listen(db.DefaultRiverSchema)
	tx, err := b.pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(context.Background()) }()
	if err := b.box.MarkTx(t.Context(), tx, b.waker, topic, outbox.PriorityLive, "a"); err != nil {
		t.Fatal(err)
	}
	equal(t, "announcements before the commit", l.within(quiet), 0)
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	equal(t, "announcements", l.within(quiet), 1)

	b.mark("a")
	equal(t, "announcements of what has a job", l.within(quiet), 0)
	b.mark("b")
	equal(t, "announcements after one that was not needed", l.within(quiet), 1)

	lease := b.lease("a")
	b.mark("a")
	b.acknowledge(lease)
	equal(t, "announcements of the job that an acknowledgement inserts", l.within(quiet), 1)
}

// What rolls back is not announced, and keeps nobody else from it.
func TestNotAnnounced(t *testing.T) {
	b := newBench(t, outbox.Config{})
	l := b.listen(db.DefaultRiverSchema)
	rolledBack := errors.New("rolled back")
	err := pgx.BeginFunc(t.Context(), b.pool, func(tx pgx.Tx) error {
		return errors.Join(b.box.MarkTx(t.Context(), tx, b.waker, topic, outbox.PriorityLive, "a"), rolledBack)
	})
	if !errors.Is(err, rolledBack) {
		t.Fatal(err)
	}
	b.announce()
	b.mark("a")
	if heard := l.within(quiet); heard == 0 {
		t.Error("the mark after it is not announced")
	}
}

// A job that comes soon after another is announced too, though not by its transaction: also if that takes its time.
func TestAnnouncedAfterwards(t *testing.T) {
	for _, takes := range []time.Duration{0, 50 * time.Millisecond, 200 * time.Millisecond} {
		t.Run(takes.String(), func(t *testing.T) {
			b := newBench(t, outbox.Config{})
			b.announce()
			l := b.listen(db.DefaultRiverSchema)
			b.mark("a")
			l.await()
			b.transact(func(tx pgx.Tx) error {
				err := b.box.MarkTx(t.Context(), tx, b.waker, topic, outbox.PriorityLive, "b")
				equal(t, "announcements before the commit", l.within(takes), 0)
				return err
			})
			l.await()
		})
	}
}

// However many jobs there are, of a process there are no more announcements than one every ten milliseconds, and few of them in a
// transaction. In the end each job was announced.
func TestNoStormOfAnnouncements(t *testing.T) {
	b := newBench(t, outbox.Config{})
	b.announce()
	l := b.listen(db.DefaultRiverSchema)
	const writers, marks = 8, 100
	begun := time.Now()
	var writing sync.WaitGroup
	for w := range writers {
		writing.Go(func() {
			for n := range marks {
				b.mark(fmt.Sprint(w, n))
			}
		})
	}
	writing.Wait()
	took := time.Since(begun)
	heard := l.within(time.Second)
	if most := int(took/(10*time.Millisecond)) + 6; heard == 0 || heard > most {
		t.Errorf("%d announcements of %d jobs in %s, want %d at most", heard, writers*marks, took, most)
	}
	equal(t, "jobs", b.jobs(), writers*marks)
}
