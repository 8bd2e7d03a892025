package main

import (
	"bytes"
	"os"
	"os/exec"
	"regexp"
	"sync"
	"syscall"
	"testing"
	"time"
)

// process is the program as a process of its own.
type process struct {
	t       *testing.T
	command *exec.Cmd
	log     syncBuffer
	exited  chan struct{}
}

// startProcess starts the program. The test's end kills it, if it still runs.
func startProcess(t *testing.T, environment []string, args ...string) *process {
	t.Helper()
	p := &process{t: t, command: exec.Command(os.Args[0], args...), exited: make(chan struct{})}
	p.command.Env = append([]string{asApp + "=1", "PATH=" + os.Getenv("PATH")}, environment...)
	p.command.Stderr = &p.log
	if err := p.command.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { _ = p.command.Wait(); close(p.exited) }()
	t.Cleanup(func() {
		_ = p.command.Process.Kill()
		<-p.exited
		if t.Failed() {
			log := p.log.String()
			t.Logf("end of the log of %v:\n%s", args, log[max(0, len(log)-2000):])
		}
	})
	return p
}

// waitFor waits until the log matches, and returns the first group.
func (p *process) waitFor(pattern string) string {
	p.t.Helper()
	compiled := regexp.MustCompile(pattern)
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		if match := compiled.FindStringSubmatch(p.log.String()); match != nil {
			return match[len(match)-1]
		}
		select {
		case <-p.exited:
			p.t.Fatalf("exited with %v before its log said %q", p.command.ProcessState, pattern)
		default:
		}
		if time.Now().After(deadline) {
			p.t.Fatalf("the log does not say %q", pattern)
		}
	}
}

func (p *process) signal(signal syscall.Signal) {
	p.t.Helper()
	if err := p.command.Process.Signal(signal); err != nil {
		p.t.Fatal(err)
	}
}

// exit waits for the end and returns the exit code; -1: by a signal.
func (p *process) exit() int {
	p.t.Helper()
	select {
	case <-p.exited:
		return p.command.ProcessState.ExitCode()
	case <-time.After(time.Minute):
		p.t.Fatal("does not exit")
		return 0
	}
}

// syncBuffer is a buffer that is read while it is written.
type syncBuffer struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (b *syncBuffer) Write(text []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.Write(text)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.String()
}
