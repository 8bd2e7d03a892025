package model

// begin: a caller's transaction writes the next state of the key and marks it, MarkTx. Nobody else sees that yet, so
// the mark takes effect when it commits; the row's lock makes everybody who would write the row wait until then.
func (m *model) begin(s *state, i int) bool {
	k := &s.keys[i]
	if !m.rollbacks || k.open || k.committed == m.versions[i] {
		return false
	}
	k.open = true
	return true
}

func (m *model) rollback(s *state, i int) bool {
	k := &s.keys[i]
	if !k.open {
		return false
	}
	k.open = false
	return true
}

// mark: a caller's transaction that changes the state commits, and with it OutboxMark and the job.
func (m *model) mark(s *state, i int) bool {
	k := &s.keys[i]
	if k.committed == m.versions[i] || k.open != m.rollbacks || k.unmarked {
		return false
	}
	k.open = false
	k.committed++
	if m.has(markAfterCommit) {
		k.unmarked = true
		return true
	}
	m.markRow(k)
	return true
}

// markRow is OutboxMark, with the job of a row that nothing will deliver.
func (m *model) markRow(k *key) {
	k.desired++
	if !m.has(markKeepsParked) {
		k.parked = 0
	}
	needsJob := k.job == 0
	if m.has(insertUnlessJobExists) {
		needsJob = !k.anyJob()
	}
	if needsJob {
		k.insertJob()
	}
}

// markLate is the mark of the mutant that commits the state first.
func (m *model) markLate(s *state, i int) bool {
	k := &s.keys[i]
	if !k.unmarked {
		return false
	}
	k.unmarked = false
	m.markRow(k)
	return true
}

// callerDies between the commit and the mark, of the same mutant. A caller that dies earlier has rolled back.
func (m *model) callerDies(s *state, i int) bool {
	k := &s.keys[i]
	if !k.unmarked || !s.disrupt() {
		return false
	}
	k.unmarked = false
	return true
}
