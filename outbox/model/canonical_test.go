package model

import "testing"

// TestCanonical checks that representatives stand for all: exploring every state, and only then taking their
// representatives, finds the same ones.
func TestCanonical(t *testing.T) {
	t.Parallel()
	for name, b := range map[string]bounds{
		"one key":  {versions: [keyCount]uint8{2}, failures: 1, disruptions: 1},
		"two keys": {versions: [keyCount]uint8{2, 2}, slow: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newModel(b, faithful)
			every := reachable(m)
			representatives := map[state]bool{}
			for s := range every {
				representatives[m.canonical(s)] = true
			}
			g := explore(m, nil, "")
			t.Logf("%d states, %d representatives", len(every), len(representatives))
			if len(g.states) != len(representatives) {
				t.Errorf("%d representatives were explored, want %d", len(g.states), len(representatives))
			}
			for _, s := range g.states {
				if !representatives[s] {
					t.Fatalf("explored, but not reachable: %s", s.describeKey(0))
				}
			}
		})
	}
}

// reachable is every state, as it is.
func reachable(m *model) map[state]bool {
	found := map[state]bool{m.initial(): true}
	pending := []state{m.initial()}
	for len(pending) > 0 {
		s := pending[len(pending)-1]
		pending = pending[:len(pending)-1]
		m.successors(&s, func(_ step, after *state) {
			if !found[*after] {
				found[*after] = true
				pending = append(pending, *after)
			}
		})
	}
	return found
}
