package model

// raiseDoubt starts the series of verifications, or starts it anew: doubted, or dueEarly at once.
func (m *model) raiseDoubt(k *key, from doubt) {
	if m.has(noDoubt) {
		return
	}
	k.doubt, k.tried = from, false
	k.renewed = k.holder != nobody
}

// readBack: the worker asks the destination what it has, and compares it with the committed state. The two are read one
// after the other, but a change between them is a mark, and then the answer makes no difference.
func (m *model) readBack(s *state, w int) bool {
	worker := &s.workers[w]
	if worker.phase != unverified {
		return false
	}
	k := &s.keys[worker.key]
	worker.inStep = k.destination == k.committed
	worker.phase = compared
	return true
}

// verify is VerifyTx with the job's completion: a row that is not in step gets dirty, unless it is already. Without the
// lease it does nothing, since whoever has that asks again.
func (m *model) verify(s *state, w int) bool {
	worker := &s.workers[w]
	if worker.phase != compared {
		return false
	}
	if !s.holds(w) {
		*worker = workerReturning(done, *worker)
		return true
	}
	k := &s.keys[worker.key]
	if !worker.inStep && !k.dirty() {
		k.synced--
	}
	m.advanceDoubt(k, worker.last)
	m.settle(s, w, !m.has(verifyWithoutDirtyCheck))
	return true
}

// advanceDoubt sets the time of the next verification, or none after the last. Which one it was is a question of how
// old the doubt was when the lease was taken, before the destination was read.
func (m *model) advanceDoubt(k *key, last bool) {
	if m.has(lastByCommitTime) {
		last = k.doubt == dueLast
	}
	switch {
	case k.renewed && !m.has(forgetNewDoubt):
		k.doubt, k.tried = doubted, false
	case last:
		k.doubt, k.tried = certain, false
	default:
		k.doubt, k.tried = doubted, true
	}
}

// verifyDue: the time of a verification comes. To keep the series short, there is at most one before the last.
func (m *model) verifyDue(s *state, i int) bool {
	k := &s.keys[i]
	if k.doubt != doubted || k.tried {
		return false
	}
	k.doubt = dueEarly
	return true
}

// lastVerifyDue: the horizon passes. That a request given up on lands before, or never, is what the protocol assumes.
func (m *model) lastVerifyDue(s *state, i int) bool {
	k := &s.keys[i]
	if k.doubt != doubted && k.doubt != dueEarly {
		return false
	}
	if s.requestGivenUp(i) && !m.has(requestsOutliveHorizon) {
		return false
	}
	k.doubt = dueLast
	return true
}

// requestGivenUp tells whether a request of the key is in the network that no holder of its lease waits for.
func (s *state) requestGivenUp(i int) bool {
	for _, count := range s.keys[i].network {
		if count > 0 {
			return true
		}
	}
	for w, worker := range s.workers {
		if worker.phase == sent && int(worker.key) == i && !s.holds(w) {
			return true
		}
	}
	return false
}
