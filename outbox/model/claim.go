package model

// verdict is what OutboxClaim says about a row.
type verdict uint8

const (
	nothingToDo   verdict = iota // clean, and no verification is due
	givenUp                      // parked
	leasedByOther                // another worker is at it
	notDue                       // waiting after a failure
	claimable
)

func (m *model) verdict(k *key) verdict {
	switch {
	case !k.dirty() && !k.due():
		return nothingToDo
	case k.parked != 0:
		return givenUp
	case k.liveLease() && !m.has(claimLeasedRows):
		return leasedByOther
	case k.waiting:
		return notDue
	default:
		return claimable
	}
}

// claim is OutboxClaim, and what the worker does about its verdict.
func (m *model) claim(s *state, w int) bool {
	worker := &s.workers[w]
	if worker.phase != fetched {
		return false
	}
	k := &s.keys[worker.key]
	switch m.verdict(k) {
	case nothingToDo:
		// This job will be completed, so the next mark must not rely on it.
		if k.job == worker.job && !m.has(cleanVerdictKeepsJob) {
			k.job = 0
		}
		worker.phase = done
	case givenUp:
		worker.phase = done
	case leasedByOther, notDue:
		worker.phase = snoozed
	case claimable:
		m.lease(s, w)
	}
	return true
}

// lease takes the row's lease for the worker.
func (m *model) lease(s *state, w int) {
	worker := &s.workers[w]
	k := &s.keys[worker.key]
	if k.holder != nobody && !m.has(noDoubtAfterTakeover) {
		m.raiseDoubt(k, doubted) // outcome 'lost': nobody knows how far the holder came
	}
	worker.last = k.doubt == dueLast
	k.holder, k.expired, k.renewed = holderOf(w), false, false
	k.leased = k.desired
	k.job = worker.job
	switch {
	case !k.dirty():
		worker.phase = unverified
	case worker.content != 0: // of the mutant that reads before
		worker.phase = read
	default:
		worker.phase = claimed
	}
}

// clearLease gives the lease back.
func (k *key) clearLease() {
	k.holder, k.expired, k.leased, k.renewed = nobody, false, 0, false
}
