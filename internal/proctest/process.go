// Package proctest runs a program as a process of its own, for tests that send it signals.
package proctest

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// patience is how long a process may take for what it does at once on a machine with nothing else to do.
const patience = time.Minute

// Process is a running program.
type Process struct {
	t       testing.TB
	command *exec.Cmd
	log     tail
	exited  chan struct{}
	killed  atomic.Bool // on purpose
}

// Start starts the program at path, with no other environment than the given one and PATH. The test's end kills it, if
// it still runs, and if the test failed shows the end of its log without the routine, unless it was killed before.
func Start(t testing.TB, path string, environment []string, args ...string) *Process {
	t.Helper()
	p := &Process{t: t, command: exec.Command(path, args...), exited: make(chan struct{})}
	p.command.Env = append([]string{"PATH=" + os.Getenv("PATH")}, environment...)
	p.command.Stderr = &p.log
	if err := p.command.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { _ = p.command.Wait(); close(p.exited) }()
	t.Cleanup(func() {
		_ = p.command.Process.Kill()
		<-p.exited
		if t.Failed() && !p.killed.Load() {
			t.Logf("process %d %v: %v; end of its log:\n%s", p.PID(), args, p.command.ProcessState, p.notable(3000))
		}
	})
	return p
}

// PID is the process's number.
func (p *Process) PID() int { return p.command.Process.Pid }

// Log returns what the process wrote to its standard error; of much, the end.
func (p *Process) Log() string { return p.log.end(tailLength) }

// notable is the end of the log without the lines of level INFO.
func (p *Process) notable(length int) string {
	var kept strings.Builder
	for line := range strings.Lines(p.Log()) {
		if !strings.Contains(line, `"level":"INFO"`) {
			kept.WriteString(line)
		}
	}
	text := kept.String()
	return text[max(0, len(text)-length):]
}

// WaitFor waits until the log matches, and returns the last group.
func (p *Process) WaitFor(pattern string) string {
	p.t.Helper()
	compiled := regexp.MustCompile(pattern)
	for deadline := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		if match := compiled.FindStringSubmatch(p.Log()); match != nil {
			return match[len(match)-1]
		}
		if p.Exited() {
			p.t.Fatalf("exited with %v before its log said %q", p.command.ProcessState, pattern)
		}
		if time.Now().After(deadline) {
			p.t.Fatalf("the log does not say %q", pattern)
		}
	}
}

// Signal sends a signal. A process that has exited already is no failure.
func (p *Process) Signal(signal syscall.Signal) { _ = p.command.Process.Signal(signal) }

// Kill kills the process and returns when it is gone.
func (p *Process) Kill() {
	p.killed.Store(true)
	p.Signal(syscall.SIGKILL)
	<-p.exited
}

// Exited tells whether the process has ended.
func (p *Process) Exited() bool {
	select {
	case <-p.exited:
		return true
	default:
		return false
	}
}

// Exit waits for the end and returns the exit code; -1: by a signal.
func (p *Process) Exit() int {
	p.t.Helper()
	select {
	case <-p.exited:
		return p.command.ProcessState.ExitCode()
	case <-time.After(patience):
		p.t.Fatal("does not exit")
		return 0
	}
}
