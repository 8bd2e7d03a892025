package jobs

import (
	"math/rand/v2"
	"time"

	"github.com/riverqueue/river"
)

// snooze waits until a time of the database's, without burning an attempt. River adds the duration to this process's
// clock, so the time is exact again even where that clock is wrong; where it is ahead the duration is negative, which
// River's constructor refuses but its executor does right. The spread keeps jobs that waited for the same instant from
// arriving as one.
func snooze(until time.Time) error {
	spread := 10*time.Millisecond + rand.N(100*time.Millisecond)
	return &river.JobSnoozeError{Duration: time.Until(until) + spread}
}

// putBack puts the job back to where it was in the queue, without burning an attempt: it keeps its age, and so its place
// before what came later.
func putBack(job *deliveryJob) error {
	return &river.JobSnoozeError{Duration: time.Until(job.ScheduledAt)}
}
