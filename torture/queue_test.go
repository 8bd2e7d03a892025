package torture

import "github.com/claimsync/claimsync"

// pauseQueue pauses the queue before any process is there. One that runs would learn of it by a notification, some time.
func (f *fleet) pauseQueue() {
	f.t.Helper()
	f.exec(`INSERT INTO river.river_queue (name, paused_at) VALUES ($1, now())`, claimsync.Topic)
}

// resumeQueue ends the pause as an operator would, in River UI.
func (f *fleet) resumeQueue() {
	f.t.Helper()
	if err := f.river.QueueResume(f.t.Context(), claimsync.Topic, nil); err != nil {
		f.t.Fatal(err)
	}
}
