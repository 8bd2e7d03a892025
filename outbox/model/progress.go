package model

import "slices"

// converged tells whether nothing is left to do, and everything is as it should be. A parked key is not in step, and
// known not to be; its doubt waits for the next change.
func (s *state) converged() bool {
	for _, worker := range s.workers {
		if worker.phase != idle {
			return false
		}
	}
	for i := range s.keys {
		if !s.keys[i].converged() {
			return false
		}
	}
	return true
}

func (k *key) converged() bool {
	if k.parked != 0 {
		return k.holder == nobody
	}
	return !k.dirty() && k.doubt == certain && k.destination == k.committed && k.holder == nobody
}

// cycle finds a state from which progress can come back to it, depth first. Without one every run of progress ends, and
// if each ends in a converged state, every run converges, in whatever order the steps are taken: no assumption about
// fairness is needed.
func (g *graph) cycle() (int32, bool) {
	c := &cycleSearch{graph: g, visits: make([]visit, len(g.states)), next: slices.Clone(g.starts)}
	for root := range g.states {
		if id, found := c.from(int32(root)); found {
			return id, true
		}
	}
	return 0, false
}

type cycleSearch struct {
	*graph
	visits []visit
	next   []int32 // the edge to follow next, per state
	path   []int32
}

type visit uint8

const (
	ahead  visit = iota
	onPath       // entered, and not left
	left         // no cycle follows
)

func (c *cycleSearch) from(root int32) (int32, bool) {
	c.enter(root)
	for len(c.path) > 0 {
		id := c.path[len(c.path)-1]
		if c.next[id] == c.starts[id+1] {
			c.visits[id] = left
			c.path = c.path[:len(c.path)-1]
			continue
		}
		to := c.edges[c.next[id]]
		c.next[id]++
		if c.visits[to] == onPath {
			return to, true
		}
		c.enter(to)
	}
	return 0, false
}

func (c *cycleSearch) enter(id int32) {
	if c.visits[id] == ahead {
		c.visits[id] = onPath
		c.path = append(c.path, id)
	}
}
