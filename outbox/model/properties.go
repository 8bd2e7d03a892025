package model

// property is a promise of the protocol; the first ones carry its number. Most are checked in every state or for every
// step; converges and ends are about what can still follow.
type property string

const (
	// P1: a committed change reaches the destination once faults stop.
	converges property = "P1 without further faults or changes, every key ends clean and in step, or parked"
	ends      property = "P1 without further faults or changes, no run goes on for ever"
	notStuck  property = "P1 a dirty row has a live job, a lease, or is found by the sweep"

	// P2: what was rolled back is never sent.
	committedOnly property = "P2 only committed states are read, sent and applied"

	// P3: order, and one push at a time.
	onePush   property = "P3 of the workers that were not stalled, at most one has a push in flight for a key"
	settles   property = "P3 a row that is clean and not in doubt is in step"
	backwards property = "P3 the destination goes backwards only while the key is in doubt"

	// P4: a stale worker's result is rejected.
	fenced property = "P4 a worker whose token does not hold leaves the row as it is, but for the doubt"

	truthful        property = "what is acknowledged was confirmed, or something newer"
	parkedAsRefused property = "what is parked is what was refused: no newer version"

	// The job_id, and the jobs that it saves.
	jobIDNull   property = "job_id is null where nothing is to be delivered, and not where something is"
	jobNotEnded property = "a dirty row's job was not completed"
	oneJob      property = "as long as no job and no worker was lost, a key has at most one live job"
	idleSweep   property = "as long as no job and no worker was lost, the sweep finds no dirty row"
	sweepApart  property = "the sweep leaves rows alone that are being delivered"
)

// checkState returns the properties that the state violates.
func (m *model) checkState(s *state) (violated []property) {
	for i := range s.keys {
		k := &s.keys[i]
		for _, check := range stateChecks {
			if !check.holds(m, s, i, k) {
				violated = append(violated, check.property)
			}
		}
	}
	return violated
}

var stateChecks = [...]struct {
	property property
	holds    func(m *model, s *state, i int, k *key) bool
}{
	{notStuck, func(m *model, _ *state, _ int, k *key) bool {
		return !k.dirty() || k.parked != 0 || k.liveJob() || k.holder != nobody || k.waiting || m.sweepable(k)
	}},
	{committedOnly, func(_ *model, s *state, i int, k *key) bool { return s.newestContent(i) <= k.committed }},
	{onePush, func(_ *model, s *state, i int, _ *key) bool { return s.pushesInFlight(i) <= 1 }},
	{settles, func(_ *model, s *state, i int, k *key) bool {
		return k.dirty() || k.doubt != certain || k.destination == k.committed || s.latePush(i)
	}},
	{jobIDNull, func(_ *model, _ *state, _ int, k *key) bool {
		switch {
		case k.parked != 0:
			return k.job == 0
		case k.dirty():
			return k.job != 0
		default:
			return k.job == 0 || k.doubt != certain
		}
	}},
	{jobNotEnded, func(m *model, _ *state, _ int, k *key) bool {
		return m.rescues || !k.dirty() || k.parked != 0 || k.job == 0 || k.jobs[k.job-1] != finished
	}},
	{oneJob, func(m *model, s *state, i int, _ *key) bool { return !m.undisturbed(s) || s.liveJobs(i) <= 1 }},
	{parkedAsRefused, func(_ *model, _ *state, _ int, k *key) bool { return k.parked == 0 || k.parked == k.desired }},
}

// newestContent is the newest state of the key that was read, sent or applied.
func (s *state) newestContent(i int) uint8 {
	k := &s.keys[i]
	newest := k.destination
	for content, count := range k.network {
		if count > 0 {
			newest = max(newest, uint8(content))
		}
	}
	for _, worker := range s.workers {
		if worker.phase != idle && int(worker.key) == i {
			newest = max(newest, worker.content)
		}
	}
	return newest
}

func (s *state) pushesInFlight(i int) (count int) {
	for _, worker := range s.workers {
		if int(worker.key) == i && !worker.stalled && (worker.phase == sent || worker.phase == applied) {
			count++
		}
	}
	return count
}

// latePush tells whether a worker sent after the horizon, and is still to report it: the doubt begins with that.
func (s *state) latePush(i int) bool {
	for _, worker := range s.workers {
		if int(worker.key) == i && worker.late {
			return true
		}
	}
	return false
}

// liveJobs counts the jobs that River has to work on.
func (s *state) liveJobs(i int) (count int) {
	for _, job := range s.keys[i].jobs {
		if job == available || job == running || job == overdue {
			count++
		}
	}
	return count
}
