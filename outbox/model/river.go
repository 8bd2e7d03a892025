package model

// jobAt is the i-th slot of all keys.
func (s *state) jobAt(i int) (k *key, job uint8, at *jobState) {
	k = &s.keys[i/slotCount]
	return k, uint8(i%slotCount) + 1, &k.jobs[i%slotCount]
}

// insertJob is the job of OutboxMark and of OutboxWake.
func (k *key) insertJob() {
	for slot, job := range k.jobs {
		if job == noJob {
			k.jobs[slot] = available
			k.job = uint8(slot) + 1
			return
		}
	}
	panic("the model has too few slots for jobs")
}

// anyJob tells whether River would still work on a job of the key: what a unique job asks.
func (k *key) anyJob() bool {
	for _, job := range k.jobs {
		if job == available || job == running || job == overdue {
			return true
		}
	}
	return false
}

// fetch: River gives a job to a worker. A worker that would only be told to wait, because the row is leased or not due,
// is not modelled: it snoozes until then, and nothing has changed.
func (m *model) fetch(s *state, i int) bool {
	k, job, at := s.jobAt(i)
	if *at != available {
		return false
	}
	if verdict := m.verdict(k); verdict == leasedByOther || verdict == notDue {
		return false
	}
	for w := range s.workers {
		if s.workers[w].phase == idle {
			*at = running
			s.workers[w] = worker{phase: fetched, key: uint8(i / slotCount), job: job}
			return true
		}
	}
	return false
}

// finish: River records what the worker returned, some time later and in a transaction of its own. It does so only for
// a running job, but not only for the attempt that returned.
func (m *model) finish(s *state, w int) bool {
	worker := s.workers[w]
	switch worker.phase {
	case done:
		s.completeJob(w)
	case snoozed:
		s.requeueJob(w)
	default:
		return false
	}
	s.stop(w)
	return true
}

// completeJob is JobComplete.
func (s *state) completeJob(w int) {
	if at := s.jobOf(w); *at == running || *at == overdue {
		*at = finished
	}
}

// requeueJob is River's, for a job that is to run again.
func (s *state) requeueJob(w int) {
	if at := s.jobOf(w); *at == running || *at == overdue {
		*at = available
	}
}

func (s *state) jobOf(w int) *jobState {
	worker := &s.workers[w]
	return &s.keys[worker.key].jobs[worker.job-1]
}

// stop makes the worker free for the next job.
func (s *state) stop(w int) { s.workers[w] = worker{} }
