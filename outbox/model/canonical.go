package model

// canonical is the representative of the states that differ only in which worker and which slot is which, or in what
// decides nothing any more. What holds for one holds for all.
func (m *model) canonical(s state) state {
	s.forgetJobs()
	if !m.rescues {
		s.equateJobs()
	}
	if workerOrder(&s, 1) > workerOrder(&s, 0) {
		s.swapWorkers()
	}
	for k := range s.keys {
		if s.keys[k].dirty() {
			s.keys[k].synced = s.keys[k].desired - 1 // how far it is behind
		}
		s.sortJobs(k)
	}
	return s
}

// forgetJobs drops the jobs that have no future and that nobody refers to.
func (s *state) forgetJobs() {
	for k := range s.keys {
		for slot, at := range s.keys[k].jobs {
			job := uint8(slot) + 1
			if at == noJob || at == available || s.keys[k].job == job {
				continue
			}
			if _, alive := s.runner(k, job); !alive {
				s.keys[k].jobs[slot] = noJob
			}
		}
	}
}

// equateJobs: whether a job has been running for long is asked only of the one that the row names, or will name.
func (s *state) equateJobs() {
	for _, worker := range s.workers {
		if worker.phase == idle || worker.phase == fetched || s.keys[worker.key].job == worker.job {
			continue
		}
		if at := &s.keys[worker.key].jobs[worker.job-1]; *at == running {
			*at = overdue
		}
	}
}

// workerOrder packs a worker, without its job's slot, and what the rows say of it.
func workerOrder(s *state, w int) uint64 {
	worker := &s.workers[w]
	order := uint64(worker.phase)<<32 | uint64(worker.key)<<24 | uint64(worker.content)<<16
	for bit, set := range [...]bool{
		worker.stalled, worker.late, worker.inStep, worker.last, worker.phase != idle && s.holds(w),
	} {
		if set {
			order |= 1 << bit
		}
	}
	if worker.phase == idle {
		return order
	}
	k := &s.keys[worker.key]
	order |= uint64(*s.jobOf(w)) << 8
	if k.job == worker.job {
		order |= 1 << 7
	}
	return order
}

func (s *state) swapWorkers() {
	s.workers[0], s.workers[1] = s.workers[1], s.workers[0]
	for k := range s.keys {
		switch s.keys[k].holder {
		case holderOf(0):
			s.keys[k].holder = holderOf(1)
		case holderOf(1):
			s.keys[k].holder = holderOf(0)
		}
	}
}

// sortJobs sorts a key's slots, the lowest order first: there are few, so by insertion.
func (s *state) sortJobs(k int) {
	for i := 1; i < slotCount; i++ {
		for j := i; j > 0 && s.jobOrder(k, j) < s.jobOrder(k, j-1); j-- {
			s.swapJobs(k, j, j-1)
		}
	}
}

// jobOrder tells slots apart: the row's first, then those of workers, empty ones last.
func (s *state) jobOrder(k, slot int) int {
	job := uint8(slot) + 1
	switch at := s.keys[k].jobs[slot]; {
	case s.keys[k].job == job:
		return 0
	case at == noJob:
		return 100
	default:
		if w, alive := s.runner(k, job); alive {
			return 1 + w
		}
		return 10 + int(at)
	}
}

func (s *state) swapJobs(k, a, b int) {
	key := &s.keys[k]
	key.jobs[a], key.jobs[b] = key.jobs[b], key.jobs[a]
	jobA, jobB := uint8(a)+1, uint8(b)+1
	key.job = swapped(key.job, jobA, jobB)
	for w := range s.workers {
		if worker := &s.workers[w]; worker.phase != idle && int(worker.key) == k {
			worker.job = swapped(worker.job, jobA, jobB)
		}
	}
}

func swapped(job, a, b uint8) uint8 {
	switch job {
	case a:
		return b
	case b:
		return a
	default:
		return job
	}
}
