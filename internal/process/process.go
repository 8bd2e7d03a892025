// Package process runs a program as a process of its own, for what sends it signals and reads its log.
package process

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"time"
)

// Process is a program that was started. Its methods are safe for concurrent use.
type Process struct {
	command *exec.Cmd
	log     tail
	exited  chan struct{}
}

// Start starts the program at path, with no other environment than the given one and PATH. It runs until it ends by
// itself or the caller ends it.
func Start(path string, environment []string, args ...string) (*Process, error) {
	p := &Process{command: exec.Command(path, args...), exited: make(chan struct{})}
	p.command.Env = append([]string{"PATH=" + os.Getenv("PATH")}, environment...)
	p.command.Stderr = &p.log
	if err := p.command.Start(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", path, err)
	}
	go func() { _ = p.command.Wait(); close(p.exited) }() // how it ended is in ProcessState
	return p, nil
}

// PID is the process's number.
func (p *Process) PID() int { return p.command.Process.Pid }

// Log returns what the process wrote to its standard error; of much, the end.
func (p *Process) Log() string { return p.log.end(tailLength) }

// Notable is the end of the log without the lines of level INFO, and at most length bytes of it.
func (p *Process) Notable(length int) string {
	var kept strings.Builder
	for line := range strings.Lines(p.Log()) {
		if !strings.Contains(line, `"level":"INFO"`) {
			kept.WriteString(line)
		}
	}
	text := kept.String()
	return text[max(0, len(text)-length):]
}

// WaitFor waits until the log matches the pattern, and returns the last group. Its error is the process's end, or ctx's.
func (p *Process) WaitFor(ctx context.Context, pattern string) (string, error) {
	compiled, err := regexp.Compile(pattern)
	if err != nil {
		return "", err
	}
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for {
		exited := p.Exited() // before the log is read: it is complete then
		if match := compiled.FindStringSubmatch(p.Log()); match != nil {
			return match[len(match)-1], nil
		}
		if exited {
			return "", fmt.Errorf("process %d ended (%s) before its log said %q", p.PID(), p.Ending(), pattern)
		}
		select {
		case <-ctx.Done():
			return "", fmt.Errorf("the log of process %d does not say %q: %w", p.PID(), pattern, context.Cause(ctx))
		case <-ticker.C:
		}
	}
}

// Signal sends a signal. A process that has exited already is no failure.
func (p *Process) Signal(signal syscall.Signal) { _ = p.command.Process.Signal(signal) }

// Kill kills the process and returns when it is gone.
func (p *Process) Kill() {
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

// Ending says how the process ended, in the system's words; that it runs, if it does.
func (p *Process) Ending() string {
	if !p.Exited() {
		return "still running"
	}
	return p.command.ProcessState.String()
}

// Exit waits for the end and returns the exit code; -1: by a signal. Its error is ctx's.
func (p *Process) Exit(ctx context.Context) (int, error) {
	select {
	case <-p.exited:
		return p.command.ProcessState.ExitCode(), nil
	case <-ctx.Done():
		return 0, fmt.Errorf("process %d does not exit: %w", p.PID(), context.Cause(ctx))
	}
}
