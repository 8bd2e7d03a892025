package model

// sweep is OutboxSweep and OutboxWake for one row.
func (m *model) sweep(s *state, i int) bool {
	k := &s.keys[i]
	if !m.sweepable(k) {
		return false
	}
	k.insertJob()
	return true
}

// sweepable tells whether a sweep would wake the row: it has something to do, it is due, and nobody will do it.
func (m *model) sweepable(k *key) bool {
	if m.has(noSweep) || k.liveJob() || k.waiting {
		return false
	}
	if k.liveLease() && !m.has(sweepLeasedRows) {
		return false
	}
	if k.dirty() {
		return k.parked == 0
	}
	return k.due() && !(m.has(sweepSkipsExpiredVerification) && k.holder != nobody)
}

// becomeDue: not_before passes.
func (m *model) becomeDue(s *state, i int) bool {
	k := &s.keys[i]
	if !k.waiting {
		return false
	}
	k.waiting = false
	return true
}
