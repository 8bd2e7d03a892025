package model

const (
	keyCount    = 2
	workerCount = 2
	slotCount   = 5 // jobs that a key may have at once
	versionMost = 3 // commits per key
)

// state is everything that the protocol's future depends on. It is compared with ==, and has no pointers.
type state struct {
	keys    [keyCount]key
	workers [workerCount]worker

	// What may still go wrong.
	failures    uint8 // answers other than a confirmation
	disruptions uint8 // processes killed or stalled, jobs deleted or retried by hand
}

// key is one thing to keep in sync: its source, its outbox row, its jobs, its copy at the destination.
type key struct {
	// The source. States are numbered by commit, so the latest committed one is the number of commits.
	committed uint8
	open      bool // a transaction has written the next state and neither committed nor rolled back
	unmarked  bool // of the mutant that marks after the commit: the mark is still to come

	// The row. Versions are only compared, never added up, so a repair may take synced back by one where the query
	// takes desired forward: then a version is the number of the state that it stands for.
	desired, synced uint8
	parked          uint8 // the version that was given up; 0: none
	waiting         bool  // not_before is to come
	job             uint8 // job_id: the slot of jobs, counted from 1; 0: null

	// The lease. Its token is the worker that got it.
	holder  holder
	expired bool
	leased  uint8 // lease_version

	// The doubt about what the destination has.
	doubt   doubt
	tried   bool // it was verified once, and not for the last time
	renewed bool // it is newer than the lease

	jobs [slotCount]jobState

	// The destination, and the requests on the way to it that their workers gave up on, by the state they carry.
	destination uint8
	network     [versionMost + 1]uint8
}

// worker is one of River's. A new process takes the place of one that was killed.
type worker struct {
	phase   phase
	key     uint8
	job     uint8 // as in key
	content uint8 // the state that it read; 0: none
	stalled bool  // its lease expired, and it goes on
	late    bool  // it sent when nobody reckoned with it any more: after the horizon of its key's doubt
	inStep  bool  // what it read back was the committed state
	last    bool  // the verification that it holds the lease for is the last one
}

// phase is how far a worker has come with its job.
type phase uint8

const (
	idle       phase = iota
	fetched          // River gave it the job, nothing is claimed yet
	claimed          // has the lease of a dirty row
	read             // has read the state that it will send
	sent             // its request is in the network
	applied          // the destination applied the request, the answer is in the network
	answered         // the push is confirmed
	completed        // of the mutant that completes the job first: confirmed and completed, not acknowledged
	timedOut         // waits no longer for an answer: nobody knows
	unapplied        // nothing was applied, nor will be; to be tried again
	refused          // was refused for good
	unverified       // has the lease of a clean row in doubt
	compared         // has read back and compared
	done             // returned: River is to complete the job
	snoozed          // returned: River is to make the job available again
)

var phaseNames = [...]string{
	"idle", "fetched", "claimed", "read", "sent", "applied", "answered", "completed", "timed out", "not applied",
	"refused", "unverified", "compared", "done", "snoozed",
}

// holder says whose lease it is.
type holder uint8

const (
	nobody holder = 0
	dead   holder = workerCount + 1 // a worker that was killed; those that live are counted from 1
)

func holderOf(w int) holder { return holder(w + 1) }

// jobState is River's, as far as it matters here. A job that neither the row nor a worker refers to is forgotten once
// it is finished, removed, or nobody's.
type jobState uint8

const (
	noJob     jobState = iota
	available          // or scheduled, or retryable
	running            // for less than a lease: the sweep counts it as live
	overdue            // running for longer
	finished           // completed by its worker
	removed            // deleted, cancelled or discarded
)

var jobNames = [...]string{"none", "available", "running", "overdue", "finished", "removed"}

// doubt is doubted_at and verify_at: whether it is known what the destination has, and when that is to be looked at.
type doubt uint8

const (
	certain  doubt = iota
	doubted        // verify_at is to come
	dueEarly       // verify_at has come, and a later one will
	dueLast        // the last verify_at has come
)

var doubtNames = [...]string{"certain", "in doubt", "verification due", "last verification due"}

func (k *key) dirty() bool     { return k.synced < k.desired }
func (k *key) liveLease() bool { return k.holder != nobody && !k.expired }
func (k *key) due() bool       { return k.doubt == dueEarly || k.doubt == dueLast }

// liveJob tells whether the row's job will deliver it, as the sweep sees it.
func (k *key) liveJob() bool {
	return k.job != 0 && (k.jobs[k.job-1] == available || k.jobs[k.job-1] == running)
}

// holds tells whether the worker's token is the row's.
func (s *state) holds(w int) bool {
	return s.keys[s.workers[w].key].holder == holderOf(w)
}

// runner is a worker that has the job, as it thinks: of a job that was rescued from a stalled one there may be two.
func (s *state) runner(k int, job uint8) (int, bool) {
	for w, worker := range s.workers {
		if worker.phase != idle && int(worker.key) == k && worker.job == job {
			return w, true
		}
	}
	return 0, false
}
