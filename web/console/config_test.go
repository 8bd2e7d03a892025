package console_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/claimsync/claimsync/web/console"
)

// TestConfigPrefix: what a mux or a browser would understand in another way is refused, and does not panic.
func TestConfigPrefix(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	for prefix, ok := range map[string]bool{
		"": true, "/internal/claimsync": true,
		"/x/": false, "/{id}": false, "internal/x": false, "/a b": false, "//elsewhere.example": false,
	} {
		_, err := console.New(console.Config{Sync: s.sync, River: s.river, Prefix: prefix})
		if ok != (err == nil) || err != nil && !strings.Contains(err.Error(), "console: Config.Prefix") {
			t.Errorf("with the prefix %q: %v", prefix, err)
		}
	}
}

// TestConfigOperator: behind an authentication of the application's own, the operator log has the name that it knows.
func TestConfigOperator(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.create("a", "A")
	pages, err := console.New(console.Config{
		Sync: s.sync, River: s.river,
		Operator: func(r *http.Request) string { return r.Header.Get("X-Staff") },
	})
	s.must(err)
	r := httptest.NewRequestWithContext(t.Context(), "POST", "/organizations/a/push", nil)
	r.Header.Set("X-Staff", "grace")
	r.SetBasicAuth("somebody", "")
	answer := httptest.NewRecorder()
	pages.ServeHTTP(answer, r)
	if answer.Code != http.StatusSeeOther {
		t.Fatalf("pushing: %d %s", answer.Code, answer.Body)
	}
	if lines := s.logged(); len(lines) != 1 || !strings.HasPrefix(lines[0], "grace ") {
		t.Errorf("the log has %q", lines)
	}
}
