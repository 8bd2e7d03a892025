package model

// acknowledge is AcknowledgeTx and AcknowledgeEach: OutboxAcknowledge, which completes the job, and the next job.
func (m *model) acknowledge(s *state, w int) bool {
	worker := &s.workers[w]
	ready := answered
	if m.has(completeBeforeAcknowledge) {
		ready = completed
	}
	if worker.phase != ready || !m.accepted(s, w) {
		return false
	}
	k := &s.keys[worker.key]
	k.synced = k.leased
	if m.has(completeWithoutDirtyCheck) {
		k.synced = k.desired
	}
	m.settle(s, w, !m.has(insertUnlessJobExists))
	return true
}

// accepted is the fence: WHERE lease_token = @lease_token.
func (m *model) accepted(s *state, w int) bool {
	if m.has(dropFence) {
		return s.keys[s.workers[w].key].holder != nobody
	}
	return s.holds(w)
}

// settle ends a lease for good: the row loses its job, which is completed, and gets the next one if it is still dirty.
func (m *model) settle(s *state, w int, wake bool) {
	k := &s.keys[s.workers[w].key]
	k.clearLease()
	k.waiting = false
	k.job = 0
	s.completeJob(w)
	s.stop(w)
	s.forgetJobs() // so that the slot is free for the next
	if wake && k.dirty() && k.parked == 0 {
		k.insertJob()
	}
}

// completeFirst is the mutant's completion in a transaction before the acknowledgement.
func (m *model) completeFirst(s *state, w int) bool {
	if !m.has(completeBeforeAcknowledge) || s.workers[w].phase != answered {
		return false
	}
	s.completeJob(w)
	s.workers[w].phase = completed
	return true
}

// release is OutboxRelease. The job lives on, but not before not_before; a push without an answer is repeated at once.
func (m *model) release(s *state, w int) bool {
	worker := &s.workers[w]
	if worker.phase != timedOut && worker.phase != unapplied || !s.holds(w) {
		return false
	}
	k := &s.keys[worker.key]
	k.clearLease()
	if worker.phase == unapplied {
		k.waiting = true
	} else if !m.has(noDoubtAfterTimeout) {
		m.raiseDoubt(k, doubted)
	}
	*worker = workerReturning(snoozed, *worker)
	return true
}

// park is ParkTx with the job's completion: OutboxPark, then JobComplete and the next job.
func (m *model) park(s *state, w int) bool {
	if s.workers[w].phase != refused || !s.holds(w) {
		return false
	}
	k := &s.keys[s.workers[w].key]
	if k.desired == k.leased || m.has(parkWhateverIsDesired) {
		k.parked = k.leased
	}
	m.settle(s, w, true)
	return true
}

// recordFenced is RecordFenced: the token no longer holds, so the result counts for nothing. But a push that was or may
// be applied may have landed over a newer one, so the key is verified at once.
func (m *model) recordFenced(s *state, w int) bool {
	worker := &s.workers[w]
	pushed := worker.phase == answered || worker.phase == completed || worker.phase == timedOut
	if !pushed && worker.phase != unapplied && worker.phase != refused {
		return false
	}
	if s.holds(w) || worker.phase != timedOut && pushed && m.accepted(s, w) {
		return false
	}
	if pushed && !m.has(noDoubtAfterFence) {
		m.raiseDoubt(&s.keys[worker.key], dueEarly)
	}
	*worker = workerReturning(done, *worker)
	return true
}

// workerReturning is a worker with nothing left but its job.
func workerReturning(p phase, w worker) worker {
	return worker{phase: p, key: w.key, job: w.job}
}
