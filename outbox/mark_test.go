package outbox_test

import (
	"testing"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"github.com/claimsync/claimsync/db"
	"github.com/claimsync/claimsync/jobs"
	"github.com/claimsync/claimsync/outbox"
)

// River schedules by the clock of the process that inserts. Where it is ahead, the job would not be worked for as long.
func TestJobOfAClockThatIsAhead(t *testing.T) {
	b := newBench(t, outbox.Config{})
	client, err := river.NewClient(riverpgxv5.New(b.pool), &river.Config{
		Schema: db.DefaultRiverSchema, Test: river.TestConfig{Time: ahead{}},
	})
	if err != nil {
		t.Fatal(err)
	}
	b.waker = jobs.NewWaker(client)
	b.mark("a")
	var due bool
	if err := b.pool.QueryRow(t.Context(), "SELECT scheduled_at <= clock_timestamp() FROM river.river_job").Scan(&due); err != nil {
		t.Fatal(err)
	}
	if !due {
		t.Error("the job waits for the process's clock")
	}
}

// ahead is a clock that is ahead by an hour.
type ahead struct{}

func (ahead) Now() time.Time         { return time.Now().Add(time.Hour) }
func (a ahead) NowOrNil() *time.Time { return new(a.Now()) }
