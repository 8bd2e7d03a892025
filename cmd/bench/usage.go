package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// usage is what a command used.
type usage struct {
	took   time.Duration
	memory float64 // resident, at most at once; in megabytes
}

// measure is command, and returns what it used too.
func (f *fleet) measure(ctx context.Context, args ...string) (printed string, used usage, err error) {
	command := exec.CommandContext(ctx, f.program, args...)
	command.Env = append([]string{"PATH=" + os.Getenv("PATH")}, f.environment()...)
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	begun := time.Now()
	if err = command.Start(); err == nil {
		ended := make(chan struct{})
		peak := watchMemory(command.Process.Pid, ended)
		err = command.Wait()
		used.took = time.Since(begun)
		close(ended)
		used.memory = max(<-peak, memoryOf(command.ProcessState))
	}
	if err != nil {
		err = fmt.Errorf("app %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(stderr.String()))
	}
	return stdout.String(), used, err
}

var peakLine = regexp.MustCompile(`VmHWM:\s+(\d+) kB`)

// watchMemory reads the memory that a process has used at most, until it has ended. Linux keeps that of a process's own
// program only where it can be read while it runs.
func watchMemory(pid int, ended <-chan struct{}) <-chan float64 {
	result := make(chan float64, 1)
	go func() {
		ticker := time.NewTicker(10 * time.Millisecond)
		defer ticker.Stop()
		peak := 0.0
		for {
			select {
			case <-ended:
				result <- peak
				return
			case <-ticker.C:
			}
			status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid)) // gone, or not Linux: nothing is found
			if found := peakLine.FindSubmatch(status); found != nil {
				kilobytes, _ := strconv.ParseFloat(string(found[1]), 64)
				peak = max(peak, kilobytes*1024/1e6)
			}
		}
	}()
	return result
}

// memoryOf is what the system says afterwards. On Linux that would be this process's own, from which the other one began.
func memoryOf(ended *os.ProcessState) float64 {
	if used, ok := ended.SysUsage().(*syscall.Rusage); ok && runtime.GOOS != "linux" {
		return float64(used.Maxrss) / 1e6 // in bytes on macOS
	}
	return 0
}
