package model

import (
	"flag"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"
)

var deep = flag.Bool("deep", false, "explore larger bounds as well: minutes, and gigabytes")

type exploration struct {
	name   string
	bounds bounds
}

// everyday is explored by every run of the tests, the longest first.
var everyday = []exploration{
	{"one key, much goes wrong", bounds{versions: [keyCount]uint8{2}, failures: 1, disruptions: 2}},
	{"one key, three changes", bounds{versions: [keyCount]uint8{3}, failures: 1, disruptions: 1}},
	{"one key, no answers", bounds{versions: [keyCount]uint8{2}, failures: 2, disruptions: 1}},
	{"one key, jobs rescued", bounds{versions: [keyCount]uint8{2}, disruptions: 2, rescues: true}},
	{"two keys, a disruption", bounds{versions: [keyCount]uint8{2, 1}, disruptions: 1, slow: true}},
	{"two keys, no answer", bounds{versions: [keyCount]uint8{2, 2}, failures: 1}},
	{"two keys, nothing goes wrong", bounds{versions: [keyCount]uint8{3, 3}, slow: true, rollbacks: true}},
}

var large = []exploration{
	{"one key, three disruptions", bounds{versions: [keyCount]uint8{2}, failures: 1, disruptions: 3}},
	{"one key, two of each", bounds{versions: [keyCount]uint8{2}, failures: 2, disruptions: 2, slow: true, rescues: true}},
	{"one key, three changes, two disruptions", bounds{versions: [keyCount]uint8{3}, failures: 1, disruptions: 2}},
	{"two keys, one of each", bounds{versions: [keyCount]uint8{2, 2}, failures: 1, disruptions: 1}},
	{"two keys, two disruptions", bounds{versions: [keyCount]uint8{2, 1}, disruptions: 2, slow: true}},
}

// TestProtocol checks that no reachable state or step violates a property, and that what the properties are about
// happens at all.
func TestProtocol(t *testing.T) {
	t.Parallel()
	explored := everyday
	if *deep {
		explored = slices.Concat(large, everyday)
	}
	seen := newSeen()
	t.Run("bounds", func(t *testing.T) {
		for _, exploration := range explored {
			t.Run(exploration.name, func(t *testing.T) {
				t.Parallel()
				found := newSeen()
				checkBounds(t, exploration.bounds, found)
				seen.merge(found)
			})
		}
	})
	seen.check(t)
}

func checkBounds(t *testing.T, b bounds, found *seen) {
	started := time.Now()
	g := explore(newModel(b, faithful), found.observe, "")
	t.Logf("%d states, %d transitions, %s", len(g.states), g.transitions, time.Since(started).Round(time.Millisecond))
	for property, violation := range g.violations {
		t.Errorf("%s; violated after\n%s", property, g.trace(violation))
	}
}

// seen collects what happened in the explored steps.
type seen struct {
	mu      sync.Mutex
	taken   [len(kinds)]bool
	pending map[string]event // those that did not happen
}

func newSeen() *seen { return &seen{pending: maps.Clone(events)} }

func (s *seen) observe(before *state, st step, after *state) {
	s.taken[st.kindIndex] = true
	for name, happened := range s.pending {
		if happened(before, st, after) {
			delete(s.pending, name)
		}
	}
}

func (s *seen) merge(other *seen) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, taken := range other.taken {
		s.taken[i] = s.taken[i] || taken
	}
	maps.DeleteFunc(s.pending, func(name string, _ event) bool { return other.pending[name] == nil })
}

func (s *seen) check(t *testing.T) {
	mutantsOnly := []string{"MarkLate", "CallerDies", "Complete"}
	for i, kind := range kinds {
		if want := !slices.Contains(mutantsOnly, kind.name); s.taken[i] != want {
			t.Errorf("step %s: taken %t, want %t", kind.name, s.taken[i], want)
		}
	}
	for name := range s.pending {
		t.Errorf("never seen: %s", name)
	}
}
