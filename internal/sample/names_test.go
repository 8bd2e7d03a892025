package sample

import "testing"

func TestNamesAreDistinct(t *testing.T) {
	t.Parallel()
	n := len(leads) * len(trades) * (len(branches) + 3) // into those that need a number
	seen := make(map[string]bool, n)
	for i := range n {
		seen[name(12345, i)] = true
	}
	if len(seen) != n {
		t.Errorf("%d of %d names are distinct", len(seen), n)
	}
}
