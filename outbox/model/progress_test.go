package model

import "testing"

func TestCycle(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		edges [][]int32
		want  bool
	}{
		"none":             {[][]int32{{}}, false},
		"two ways":         {[][]int32{{1, 2}, {3}, {3}, {}}, false},
		"to itself":        {[][]int32{{1}, {1}}, true},
		"back":             {[][]int32{{1, 2}, {}, {3}, {2}}, true},
		"not from a root":  {[][]int32{{}, {2}, {1}}, true},
		"back to the root": {[][]int32{{1}, {2}, {0}}, true},
	}
	for name, test := range tests {
		g := &graph{states: make([]state, len(test.edges))}
		for _, to := range test.edges {
			g.starts = append(g.starts, int32(len(g.edges)))
			g.edges = append(g.edges, to...)
		}
		g.starts = append(g.starts, int32(len(g.edges)))
		if _, found := g.cycle(); found != test.want {
			t.Errorf("%s: cycle found: %t, want %t", name, found, test.want)
		}
	}
}
