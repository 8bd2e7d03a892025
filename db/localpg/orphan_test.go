//go:build unix

package localpg

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// ownerEnd says how the second process, the owner of a server, ends.
const ownerEnd = "LOCALPG_TEST_OWNER_END"

// owned is what the owner prints before its end.
type owned struct {
	Dir        string
	Postmaster int
	Child      int
}

func TestServerEndsWithItsOwner(t *testing.T) {
	t.Parallel()
	for _, end := range []string{"kill", "panic", "exit"} {
		t.Run(end, func(t *testing.T) {
			t.Parallel()
			left := startOwner(t, end)
			if left.Postmaster == 0 || left.Child == 0 {
				t.Fatalf("the owner said %+v", left)
			}
			waitFor(t, "the server to end", func() bool { return processGone(left.Postmaster) })
			waitFor(t, "its folder to be removed", func() bool { return folderGone(left.Dir) })
			if processGone(left.Child) {
				t.Error("the owner's other child was gone before: whether it held the pipe is not known")
			}
		})
	}
}

// TestFolderGoesWithItsOwnerDuringCreation kills the owner at various points of initdb's work.
func TestFolderGoesWithItsOwnerDuringCreation(t *testing.T) {
	t.Parallel()
	for _, after := range []time.Duration{0, 30 * time.Millisecond, 100 * time.Millisecond, 300 * time.Millisecond} {
		t.Run(after.String(), func(t *testing.T) {
			t.Parallel()
			left := startOwner(t, after.String())
			waitFor(t, "the folder to be removed", func() bool { return folderGone(left.Dir) })
		})
	}
}

// startOwner runs this test binary again and returns what it printed until its end.
func startOwner(t *testing.T, end string) owned {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), ownerEnd+"="+end)
	output, err := cmd.Output()
	if err == nil {
		t.Fatal("the owner ended well")
	}
	var left owned
	if err := json.Unmarshal(output, &left); err != nil {
		t.Fatalf("the owner printed %q: %v", output, err)
	}
	t.Cleanup(func() {
		if left.Child != 0 {
			_ = syscall.Kill(left.Child, syscall.SIGKILL)
		}
	})
	return left
}

// runOwner is the owner's life. Its other child outlives it, to show that it does not hold the pipe.
func runOwner(end string) {
	config := Config{}
	if delay, err := time.ParseDuration(end); err == nil {
		config.Logger = slog.New(killOnStart{delay: delay})
	}
	server, err := Start(context.Background(), config)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	child := exec.Command("sleep", "120")
	if err := child.Start(); err != nil {
		panic(err)
	}
	say(owned{Dir: server.Dir(), Postmaster: mustPostmasterPID(server.Dir()), Child: child.Process.Pid})
	switch end {
	case "kill":
		killSelf()
	case "panic":
		panic("on purpose")
	default:
		os.Exit(3)
	}
}

// killOnStart is a log handler that kills the process some time after a server's folder was made.
type killOnStart struct {
	slog.Handler
	delay time.Duration
}

func (killOnStart) Enabled(context.Context, slog.Level) bool { return true }

func (k killOnStart) Handle(_ context.Context, record slog.Record) error {
	record.Attrs(func(attr slog.Attr) bool {
		if attr.Key == "dir" {
			say(owned{Dir: attr.Value.String()})
			time.Sleep(k.delay)
			killSelf()
		}
		return true
	})
	return nil
}

func say(left owned) {
	if err := json.NewEncoder(os.Stdout).Encode(left); err != nil {
		panic(err)
	}
}

func killSelf() {
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {}
}

func mustPostmasterPID(dir string) int {
	content, err := os.ReadFile(filepath.Join(dir, dataName, "postmaster.pid"))
	if err != nil {
		panic(err)
	}
	var pid int
	if _, err := fmt.Sscan(string(content), &pid); err != nil {
		panic(err)
	}
	return pid
}
