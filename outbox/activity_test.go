package outbox_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/claimsync/claimsync/outbox"
)

// deliver logs deliveries that ended so long ago.
func (b *bench) deliver(n int, outcome string, ago time.Duration) {
	b.t.Helper()
	b.exec(`INSERT INTO outbox_delivery (topic, key, version, outcome, finished_at, duration)
		SELECT $1, 'a', 1, $2, clock_timestamp() - $3::interval, '1 ms' FROM generate_series(1, $4)`, topic, outcome, ago, n)
}

// counted counts, and returns how many deliveries of the past are counted by outcome.
func (b *bench) counted(past time.Duration) map[string]int {
	b.t.Helper()
	if err := b.box.CountActivity(b.t.Context(), b.pool, topic); err != nil {
		b.t.Fatal(err)
	}
	activity, err := b.box.Activity(b.t.Context(), b.pool, topic, past)
	if err != nil {
		b.t.Fatal(err)
	}
	counted := map[string]int{}
	for i, a := range activity {
		counted[a.Outcome] += a.Deliveries
		if !a.BeginsAt.Equal(a.BeginsAt.Truncate(outbox.ActivityInterval)) || i > 0 && a.BeginsAt.Before(activity[i-1].BeginsAt) {
			b.t.Errorf("interval %d of %d begins at %s", i, len(activity), a.BeginsAt)
		}
	}
	return counted
}

// However often and late it is counted, each delivery is counted once.
func TestActivityIsCountedOnce(t *testing.T) {
	b := newBench(t, outbox.Config{})
	b.mark("a")
	b.deliver(7, "applied", 20*time.Second)
	b.deliver(2, "outage", 20*time.Second)
	b.exec(`INSERT INTO outbox (topic, key, dirty_since) VALUES ('another', 'a', now())`)
	b.exec(`INSERT INTO outbox_delivery (topic, key, version, outcome, duration) VALUES ('another', 'a', 1, 'applied', '1 ms')`)
	want := map[string]int{"applied": 7, "outage": 2}
	for range 2 {
		if diff := cmp.Diff(want, b.counted(time.Hour)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}

	b.deliver(1, "applied", 100*time.Second) // committed late
	want["applied"] = 8
	if diff := cmp.Diff(want, b.counted(time.Hour)); diff != "" {
		t.Errorf("with one that was committed late (-want +got):\n%s", diff)
	}
}

// What was delivered while nobody counted is caught up with.
func TestActivityCatchesUp(t *testing.T) {
	b := newBench(t, outbox.Config{})
	b.mark("a")
	b.deliver(3, "applied", 20*time.Hour)
	b.counted(time.Hour)
	b.deliver(4, "applied", 90*time.Minute)
	b.deliver(5, "applied", 5*time.Second)
	if diff := cmp.Diff(map[string]int{"applied": 12}, b.counted(24*time.Hour)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// While one process counts, another does not, rather than write down what it has seen before.
func TestActivityIsCountedByOne(t *testing.T) {
	b := newBench(t, outbox.Config{})
	b.mark("a")
	b.deliver(3, "applied", 20*time.Second)
	tx, err := b.pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := b.box.CountActivity(t.Context(), tx, topic); err != nil {
		t.Fatal(err)
	}
	if counted := b.counted(time.Hour); len(counted) > 0 {
		t.Errorf("counted beside: %v", counted)
	}
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]int{"applied": 3}, b.counted(time.Hour)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
