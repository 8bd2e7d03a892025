package model

import (
	"fmt"
	"strings"
)

// trace tells the shortest way to a violation, one step a line, with the key and its workers after it.
func (g *graph) trace(v violation) string {
	var ids []int32
	for id := v.state; id != 0; id = g.parents[id] {
		ids = append(ids, id)
	}
	var lines strings.Builder
	// The stored states are representatives, where a worker may change its number from one to the next. So the way is
	// gone once more.
	current := g.model.initial()
	for i := len(ids) - 1; i >= 0; i-- {
		st, next := g.follow(current, g.states[ids[i]])
		writeStep(&lines, len(ids)-i, &current, st, &next)
		current = next
	}
	if v.step != nil {
		// The step is that of the representative: any that leads there will do.
		representative := g.states[v.state]
		g.model.successors(&representative, func(st step, after *state) {
			if st == *v.step {
				taken, next := g.follow(current, g.model.canonical(*after))
				writeStep(&lines, len(ids)+1, &current, taken, &next)
			}
		})
	}
	return lines.String()
}

// follow returns a step from current to a state represented by next.
func (g *graph) follow(current, next state) (found step, after state) {
	ok := false
	g.model.successors(&current, func(st step, candidate *state) {
		if !ok && g.model.canonical(*candidate) == next {
			found, after, ok = st, *candidate, true
		}
	})
	if !ok {
		panic("no step leads to a state that was reached")
	}
	return found, after
}

func writeStep(lines *strings.Builder, number int, before *state, st step, after *state) {
	subject, i := describe(before, st)
	fmt.Fprintf(lines, "%3d. %-30s %s\n", number, st.kind().name+" "+subject, after.describeKey(i))
}

// describe names what the step happened to, and gives the key.
func describe(before *state, st step) (subject string, i int) {
	index := int(st.index)
	switch st.kind().scope {
	case perWorker:
		i = int(before.workers[index].key)
		return fmt.Sprintf("(worker %d, key %d)", index+1, i+1), i
	case perJob:
		i = index / slotCount
		return fmt.Sprintf("(job %d, key %d)", index%slotCount+1, i+1), i
	case perRequest:
		i = index / (versionMost + 1)
		return fmt.Sprintf("(state %d, key %d)", index%(versionMost+1), i+1), i
	default:
		return fmt.Sprintf("(key %d)", index+1), index
	}
}

// describeKey is one line: the source and the destination, the row, the jobs, the network, the workers.
func (s *state) describeKey(i int) string {
	k := &s.keys[i]
	parts := []string{
		fmt.Sprintf("committed %d, there %d", k.committed, k.destination),
		"row " + strings.Join(k.describeRow(), ", "),
	}
	for slot, job := range k.jobs {
		if job != noJob {
			parts = append(parts, fmt.Sprintf("job %d %s", slot+1, jobNames[job]))
		}
	}
	for content, count := range k.network {
		if count > 0 {
			parts = append(parts, fmt.Sprintf("%d in the network: %d×", content, count))
		}
	}
	for w, worker := range s.workers {
		if worker.phase != idle && int(worker.key) == i {
			parts = append(parts, describeWorker(w, worker))
		}
	}
	return strings.Join(parts, " | ")
}

func (k *key) describeRow() []string {
	parts := []string{fmt.Sprintf("%d of %d", k.synced, k.desired)}
	add := func(yes bool, format string, args ...any) {
		if yes {
			parts = append(parts, fmt.Sprintf(format, args...))
		}
	}
	add(k.parked != 0, "parked")
	add(k.waiting, "not due")
	add(k.job != 0, "job_id %d", k.job)
	add(k.holder == dead, "lease of a dead worker for %d", k.leased)
	add(k.holder != nobody && k.holder != dead, "lease of worker %d for %d", k.holder, k.leased)
	add(k.expired, "expired")
	add(k.doubt != certain, "%s", doubtNames[k.doubt])
	add(k.unmarked, "the last change not marked")
	return parts
}

func describeWorker(w int, worker worker) string {
	text := fmt.Sprintf("worker %d %s", w+1, phaseNames[worker.phase])
	if worker.content != 0 {
		text += fmt.Sprintf(" %d", worker.content)
	}
	if worker.phase == compared {
		text += map[bool]string{true: ", in step", false: ", not in step"}[worker.inStep]
	}
	if worker.stalled {
		text += " (stalled)"
	}
	return text
}
