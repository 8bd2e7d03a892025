package model

// read: Destination.Deliver reads the current state. That is what is committed, and since the claim saw the row's
// version, it is not older than that.
func (m *model) read(s *state, w int) bool {
	worker := &s.workers[w]
	early := m.has(readBeforeClaim) && worker.phase == fetched && worker.content == 0
	if worker.phase != claimed && !early {
		return false
	}
	k := &s.keys[worker.key]
	worker.content = k.committed
	if m.has(readUncommitted) && k.open {
		worker.content++
	}
	if !early {
		worker.phase = read
	}
	return true
}

// send: the request is in the network. Its deadline is shorter than the lease, but a worker that was stalled between
// its last look at the clock and the write to the socket sends all the same.
func (m *model) send(s *state, w int) bool {
	worker := &s.workers[w]
	if worker.phase != read {
		return false
	}
	k := &s.keys[worker.key]
	worker.phase = sent
	worker.late = !s.holds(w) && (k.doubt == certain || k.doubt == dueLast)
	return true
}

// apply: the destination does what the request says.
func (m *model) apply(s *state, w int) bool {
	worker := &s.workers[w]
	if worker.phase != sent {
		return false
	}
	s.keys[worker.key].destination = worker.content
	worker.phase = applied
	return true
}

// answer: the confirmation arrives.
func (m *model) answer(s *state, w int) bool {
	if s.workers[w].phase != applied {
		return false
	}
	s.workers[w].phase = answered
	return true
}

// answerBusy: the destination says that it did nothing, but may later. Of a verification: it could not be asked.
func (m *model) answerBusy(s *state, w int) bool {
	worker := &s.workers[w]
	if worker.phase != sent && worker.phase != unverified || !s.fail() {
		return false
	}
	worker.phase, worker.content = unapplied, 0
	return true
}

// answerRefused: the destination says that it did nothing, and never will. Of a verification: that it is not to be
// asked, and what to do about that is decided by a push.
func (m *model) answerRefused(s *state, w int) bool {
	worker := &s.workers[w]
	if worker.phase != sent && worker.phase != unverified || !s.fail() {
		return false
	}
	if worker.phase == sent {
		worker.phase, worker.content = refused, 0
	} else {
		worker.phase, worker.inStep = compared, false
	}
	return true
}

// timeout: the deadline passes, the connection is reset, or the process is told to stop, at any point of the delivery.
// A request that is in the network stays there; without one there is no doubt. A stalled worker is past its deadline.
func (m *model) timeout(s *state, w int) bool {
	worker := &s.workers[w]
	switch worker.phase {
	case claimed, read, sent, applied:
	default:
		return false
	}
	if !worker.stalled && !s.fail() {
		return false
	}
	s.abandonRequest(w)
	if worker.phase == sent || worker.phase == applied {
		worker.phase, worker.content = timedOut, 0
	} else {
		worker.phase, worker.content = unapplied, 0
	}
	return true
}

// abandonRequest leaves the worker's request to the network, if there is one that is not applied.
func (s *state) abandonRequest(w int) {
	if worker := &s.workers[w]; worker.phase == sent {
		s.keys[worker.key].network[worker.content]++
	}
}

// requestAt is the i-th content of all keys' requests that were given up on.
func (s *state) requestAt(i int) (k *key, content uint8) {
	return &s.keys[i/(versionMost+1)], uint8(i % (versionMost + 1))
}

// land: the destination applies a request that was given up on.
func (m *model) land(s *state, i int) bool {
	k, content := s.requestAt(i)
	if k.network[content] == 0 {
		return false
	}
	k.network[content]--
	k.destination = content
	return true
}

// vanish: a request that was given up on never arrives.
func (m *model) vanish(s *state, i int) bool {
	k, content := s.requestAt(i)
	if k.network[content] == 0 {
		return false
	}
	k.network[content]--
	return true
}
