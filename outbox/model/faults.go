package model

// crash: a worker's process is killed. Its lease and its job remain as they are, and its request is in the network.
func (m *model) crash(s *state, w int) bool {
	worker := &s.workers[w]
	if worker.phase == idle || worker.late && !m.has(lateSendersDie) || !s.disrupt() {
		return false
	}
	s.abandonRequest(w)
	if s.holds(w) {
		s.keys[worker.key].holder = dead
	}
	s.stop(w)
	return true
}

// resultLost: the transaction that was to record a result fails, as without a database. The worker returns the error,
// and River retries the job; the lease remains as it is.
func (m *model) resultLost(s *state, w int) bool {
	worker := &s.workers[w]
	switch worker.phase {
	case answered, timedOut, unapplied, refused, compared:
	default:
		return false
	}
	if worker.late && !m.has(lateSendersDie) || !s.fail() {
		return false
	}
	if s.holds(w) {
		s.keys[worker.key].holder = dead
	}
	s.requeueJob(w)
	s.stop(w)
	return true
}

// expire: the time of a dead worker's lease passes. So does that of its job, which was fetched before.
func (m *model) expire(s *state, i int) bool {
	k := &s.keys[i]
	if k.holder != dead || k.expired {
		return false
	}
	k.expired = true
	if _, alive := s.runner(i, k.job); !alive && k.job != 0 && k.jobs[k.job-1] == running {
		k.jobs[k.job-1] = overdue
	}
	return true
}

// stall: a worker stands still until its lease has expired, and goes on then.
func (m *model) stall(s *state, i int) bool {
	k := &s.keys[i]
	if k.holder == nobody || k.holder == dead || k.expired || !s.disrupt() {
		return false
	}
	k.expired = true
	w := int(k.holder) - 1
	s.workers[w].stalled = true
	if at := s.jobOf(w); *at == running {
		*at = overdue
	}
	return true
}

// age: a dead worker's job has been running for a lease. As long as there is a lease, it takes effect with that.
func (m *model) age(s *state, i int) bool {
	k, job, at := s.jobAt(i)
	if *at != running || k.liveLease() {
		return false
	}
	if _, alive := s.runner(i/slotCount, job); alive {
		return false
	}
	*at = overdue
	return true
}

// ageHeld: a living worker's job has been running for a lease. That is so a little before its lease expires, since the
// claim came after the fetch; a worker without a lease was stalled.
func (m *model) ageHeld(s *state, i int) bool {
	k, job, at := s.jobAt(i)
	if _, alive := s.runner(i/slotCount, job); *at != running || !alive {
		return false
	}
	slow := m.slow && k.liveLease() && k.job == job
	if !slow && !s.disrupt() {
		return false
	}
	*at = overdue
	return true
}

// deleteJob: a job is deleted, cancelled or discarded. One that is running goes on: a cancelled one's worker gives up
// as in timeout.
func (m *model) deleteJob(s *state, i int) bool {
	_, _, at := s.jobAt(i)
	if *at != available && *at != running && *at != overdue || !s.disrupt() {
		return false
	}
	*at = removed
	return true
}

// retryJob: somebody retries a job that ended, or River rescues one that has been running for long. Jobs that ended are
// forgotten unless the row or a worker refers to them; then the retried one takes a new slot.
func (m *model) retryJob(s *state, i int) bool {
	k, job, at := s.jobAt(i)
	switch *at {
	case noJob:
		if k.desired == 0 { // never had one
			return false
		}
	case finished, removed:
		if _, alive := s.runner(i/slotCount, job); alive {
			return false
		}
	case overdue:
		if _, alive := s.runner(i/slotCount, job); alive && !m.rescues {
			return false
		}
	default:
		return false
	}
	if !s.disrupt() {
		return false
	}
	*at = available
	return true
}
