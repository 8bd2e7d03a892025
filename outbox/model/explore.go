package model

// step is one step of one kind.
type step struct {
	kindIndex uint8
	index     uint8 // of what its scope says
}

func (st step) kind() kind { return kinds[st.kindIndex] }

// successors calls yield for every step that is possible in s. What is yielded is overwritten by the next.
func (m *model) successors(s *state, yield func(step, *state)) {
	after := *s
	for i := range kinds {
		for index := range scopeSizes[kinds[i].scope] {
			if !s.has(kinds[i].scope, index) {
				continue
			}
			if kinds[i].take(m, &after, index) {
				after.forgetJobs()
				yield(step{uint8(i), uint8(index)}, &after)
				after = *s
			}
		}
	}
}

// graph is what was explored: the states in the order of their distance from the first, and the steps of progress
// between them.
type graph struct {
	model       *model
	states      []state
	ids         map[state]int32
	parents     []int32
	edges       []int32 // progress: those of state i are edges[starts[i]:starts[i+1]]
	starts      []int32
	transitions int
	violations  map[property]violation // the first of each
}

// violation is where a property does not hold: in a state, or for a step from it.
type violation struct {
	state int32
	step  *step
}

// observer is told of every step.
type observer func(before *state, st step, after *state)

// explore visits every reachable state, breadth first. It stops early once the wanted property is violated.
func explore(m *model, observe observer, wanted property) *graph {
	g := &graph{model: m, ids: map[state]int32{}, violations: map[property]violation{}}
	g.add(m.canonical(m.initial()), 0)
	for id := int32(0); int(id) < len(g.states); id++ {
		g.expand(id, observe)
		if _, found := g.violations[wanted]; found {
			return g
		}
	}
	g.starts = append(g.starts, int32(len(g.edges)))
	if id, found := g.cycle(); found {
		g.report(ends, violation{state: id})
	}
	return g
}

// expand adds what follows on a state.
func (g *graph) expand(id int32, observe observer) {
	before := g.states[id]
	g.starts = append(g.starts, int32(len(g.edges)))
	for _, property := range g.model.checkState(&before) {
		g.report(property, violation{state: id})
	}
	g.model.successors(&before, func(st step, after *state) {
		g.transitions++
		for _, property := range g.model.checkStep(&before, st, after) {
			g.report(property, violation{state: id, step: &st})
		}
		if observe != nil {
			observe(&before, st, after)
		}
		next := g.add(g.model.canonical(*after), id)
		if st.kind().progress {
			g.edges = append(g.edges, next)
		}
	})
	if int(g.starts[id]) == len(g.edges) && !before.converged() {
		g.report(converges, violation{state: id})
	}
}

func (g *graph) add(s state, parent int32) int32 {
	if id, known := g.ids[s]; known {
		return id
	}
	id := int32(len(g.states))
	g.ids[s] = id
	g.states = append(g.states, s)
	g.parents = append(g.parents, parent)
	return id
}

func (g *graph) report(p property, v violation) {
	if _, known := g.violations[p]; !known {
		g.violations[p] = v
	}
}
