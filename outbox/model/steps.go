package model

// scope is what a kind of step happens to.
type scope uint8

const (
	perKey scope = iota
	perWorker
	perJob     // of a key
	perRequest // of a key, by content
)

var scopeSizes = [...]int{keyCount, workerCount, keyCount * slotCount, keyCount * (versionMost + 1)}

// has tells whether there is anything at the place: no step happens to an idle worker, or to a job that does not exist
// (but the first of those may be the one that is retried).
func (s *state) has(scope scope, i int) bool {
	switch scope {
	case perWorker:
		return s.workers[i].phase != idle
	case perJob:
		jobs, slot := &s.keys[i/slotCount].jobs, i%slotCount
		return jobs[slot] != noJob || slot == 0 || jobs[slot-1] != noJob
	case perRequest:
		return s.keys[i/(versionMost+1)].network[i%(versionMost+1)] > 0
	default:
		return true
	}
}

// kind is a kind of step.
type kind struct {
	name  string
	scope scope
	// progress: it happens sooner or later if nobody changes anything and nothing fails. Of time's steps those are
	// progress that somebody has to wait for.
	progress bool
	// take does the step if it is possible, and tells whether it is. If not, it changes nothing.
	take func(m *model, s *state, i int) bool
}

const progress, chance = true, false

var kinds = [...]kind{
	{"Begin", perKey, chance, (*model).begin},
	{"Rollback", perKey, progress, (*model).rollback},
	{"Mark", perKey, chance, (*model).mark},
	{"MarkLate", perKey, progress, (*model).markLate},
	{"CallerDies", perKey, chance, (*model).callerDies},

	{"Fetch", perJob, progress, (*model).fetch},
	{"Claim", perWorker, progress, (*model).claim},
	{"Read", perWorker, progress, (*model).read},
	{"Send", perWorker, progress, (*model).send},
	{"Apply", perWorker, progress, (*model).apply},
	{"Answer", perWorker, progress, (*model).answer},
	{"AnswerBusy", perWorker, chance, (*model).answerBusy},
	{"AnswerRefused", perWorker, chance, (*model).answerRefused},
	{"Timeout", perWorker, chance, (*model).timeout},
	{"ReadBack", perWorker, progress, (*model).readBack},

	{"Complete", perWorker, progress, (*model).completeFirst},
	{"Acknowledge", perWorker, progress, (*model).acknowledge},
	{"Release", perWorker, progress, (*model).release},
	{"Park", perWorker, progress, (*model).park},
	{"Verify", perWorker, progress, (*model).verify},
	{"RecordFenced", perWorker, progress, (*model).recordFenced},
	{"Finish", perWorker, progress, (*model).finish},

	{"Sweep", perKey, progress, (*model).sweep},

	{"Due", perKey, progress, (*model).becomeDue},
	{"VerifyDue", perKey, progress, (*model).verifyDue},
	{"LastVerifyDue", perKey, progress, (*model).lastVerifyDue},
	{"Expire", perKey, progress, (*model).expire},
	{"Stall", perKey, chance, (*model).stall},
	{"Age", perJob, progress, (*model).age},
	{"AgeHeld", perJob, chance, (*model).ageHeld},

	{"Land", perRequest, progress, (*model).land},
	{"Vanish", perRequest, progress, (*model).vanish},

	{"ResultLost", perWorker, chance, (*model).resultLost},
	{"Crash", perWorker, chance, (*model).crash},
	{"DeleteJob", perJob, chance, (*model).deleteJob},
	{"RetryJob", perJob, chance, (*model).retryJob},
}
