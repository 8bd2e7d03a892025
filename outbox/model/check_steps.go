package model

// checkStep returns the properties that the step violates.
func (m *model) checkStep(before *state, st step, after *state) (violated []property) {
	for i := range before.keys {
		was, is := &before.keys[i], &after.keys[i]
		if is.destination < was.destination && was.doubt == certain && !before.latePush(i) {
			violated = append(violated, backwards)
		}
	}
	switch st.kind().name {
	case "Acknowledge", "Release", "Park", "Verify", "RecordFenced":
		violated = append(violated, checkResult(before, int(st.index), after)...)
	case "Sweep":
		violated = append(violated, m.checkSweep(before, int(st.index))...)
	}
	return violated
}

// checkResult is about the worker's reporting a result.
func checkResult(before *state, w int, after *state) (violated []property) {
	worker := before.workers[w]
	was, is := before.keys[worker.key], after.keys[worker.key]
	if !before.holds(w) {
		was.doubt, was.tried, was.renewed = is.doubt, is.tried, is.renewed
		was.jobs, is.jobs = [slotCount]jobState{}, [slotCount]jobState{}
		if was != is {
			violated = append(violated, fenced)
		}
	}
	confirmed := worker.phase == answered || worker.phase == completed
	if confirmed && is.synced > before.keys[worker.key].synced && is.synced > worker.content {
		violated = append(violated, truthful)
	}
	return violated
}

func (m *model) checkSweep(before *state, i int) (violated []property) {
	k := &before.keys[i]
	if k.dirty() && m.undisturbed(before) {
		violated = append(violated, idleSweep)
	}
	if k.liveLease() && k.holder != dead {
		violated = append(violated, sweepApart)
	}
	return violated
}
