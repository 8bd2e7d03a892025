//go:build unix

package localpg

import (
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// TestMain lets the tests run this binary again as an owner that dies.
func TestMain(m *testing.M) {
	if end := os.Getenv(ownerEnd); end != "" {
		runOwner(end)
	}
	goleak.VerifyTestMain(m)
}

// waitFor waits for a condition that another process brings about.
func waitFor(t *testing.T, what string, met func() bool) {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for !met() {
		if time.Now().After(deadline) {
			t.Fatalf("waited a minute in vain for: %s", what)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// reachableDir is a temporary folder that, unlike t.TempDir, the server's user can enter if the tests run as root.
func reachableDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "localpg-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}
