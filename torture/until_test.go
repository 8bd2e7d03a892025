package torture

import "time"

// forAtLeast lets an attack go on for a while, and on a busy machine until it has done enough to prove something. That
// is asked a hundred times a second, so it may also be what attacks.
func (f *fleet) forAtLeast(lasting time.Duration, enough func() bool) {
	f.t.Helper()
	begun := time.Now()
	f.until("the attack had any effect to speak of", lasting+3*recovery, func() bool {
		done := enough()
		return done && time.Since(begun) > lasting
	})
}

// untilAllPushed waits until every change is pushed, and returns how long that took since the instant. With -full it
// waits also until what is in doubt was read back, which is 10 s later, and 40 s if the first reading was lost.
func (f *fleet) untilAllPushed(since time.Time) time.Duration {
	f.t.Helper()
	f.until("every change is pushed", 2*recovery, func() bool {
		return f.dirty() == 0
	})
	took := time.Since(since).Round(time.Millisecond)
	if *full {
		f.settle(time.Minute)
	}
	return took
}

// dirty is how many organizations have a change that is not pushed.
func (f *fleet) dirty() int {
	f.t.Helper()
	return query[int](f, `SELECT count(*) FROM outbox WHERE dirty_since IS NOT NULL`)
}
