package torture

import (
	"cmp"
	"testing"
)

// bound prints a figure beside what it may be at most, and fails beyond that.
func bound[T cmp.Ordered](t *testing.T, what string, got, most T) {
	t.Helper()
	verdict := "ok"
	if got > most {
		verdict = "EXCEEDED"
		t.Errorf("%s: %v, at most %v", what, got, most)
	}
	t.Logf("bound: %-60s %12v  at most %-10v %s", what, got, most, verdict)
}
