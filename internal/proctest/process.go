// Package proctest runs a program as a process of its own, for tests: what goes wrong with it fails the test.
package proctest

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/claimsync/claimsync/internal/process"
)

// patience is how long a process may take for what it does at once on a machine with nothing else to do.
const patience = time.Minute

// Process is a running program.
type Process struct {
	*process.Process
	t      testing.TB
	killed atomic.Bool // on purpose
}

// Start starts the program at path, with no other environment than the given one and PATH. The test's end kills it, if
// it still runs, and if the test failed shows the end of its log without the routine, unless it was killed before.
func Start(t testing.TB, path string, environment []string, args ...string) *Process {
	t.Helper()
	started, err := process.Start(path, environment, args...)
	if err != nil {
		t.Fatal(err)
	}
	p := &Process{Process: started, t: t}
	t.Cleanup(func() {
		p.Process.Kill()
		if t.Failed() && !p.killed.Load() {
			t.Logf("process %d %v: %s; end of its log:\n%s", p.PID(), args, p.Ending(), p.Notable(3000))
		}
	})
	return p
}

// WaitFor waits until the log matches, and returns the last group.
func (p *Process) WaitFor(pattern string) string {
	p.t.Helper()
	ctx, cancel := bounded()
	defer cancel()
	match, err := p.Process.WaitFor(ctx, pattern)
	if err != nil {
		p.t.Fatal(err)
	}
	return match
}

// Kill kills the process and returns when it is gone.
func (p *Process) Kill() {
	p.killed.Store(true)
	p.Process.Kill()
}

// Exit waits for the end and returns the exit code; -1: by a signal.
func (p *Process) Exit() int {
	p.t.Helper()
	ctx, cancel := bounded()
	defer cancel()
	code, err := p.Process.Exit(ctx)
	if err != nil {
		p.t.Fatal(err)
	}
	return code
}

// bounded is not the test's context, which ends before its cleanups: they too wait for processes.
func bounded() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), patience)
}
