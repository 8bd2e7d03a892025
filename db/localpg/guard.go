//go:build unix

package localpg

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// guardScript keeps the server's life bound to ours; its head says how.
//
//go:embed guard.sh
var guardScript string

// stopTimeout is a little longer than the guard itself takes when the server resists: three signals, ten seconds each.
const stopTimeout = 35 * time.Second

// guard is the shell process between this one and the server.
type guard struct {
	pid      int
	leash    *os.File // what the guard waits on: it closes with this process at the latest
	released atomic.Bool
	exited   chan struct{}
	err      error // why it exited; set before exited closes
}

// commands are what a guard runs.
type commands struct {
	initdb        string
	initdbOptions []string
	server        []string
}

// startGuard starts the server. The guard runs as the server's user too, and in a session of its own: Ctrl-C in the
// terminal must reach this process alone, which needs the database until it has shut down itself.
func startGuard(folder *folder, account *account, run commands) (*guard, error) {
	// Both ends are close-on-exec: no other child of ours can hold the leash after our death.
	end, leash, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("opening the guard's pipe: %w", err)
	}
	defer func() { _ = end.Close() }()

	afterwards := "keep"
	if folder.temporary {
		afterwards = "remove"
	}
	args := []string{"-c", guardScript, "localpg-guard", folder.path, afterwards, run.initdb, strings.Join(run.initdbOptions, " ")}
	cmd := exec.Command("/bin/sh", append(args, run.server...)...)
	cmd.Dir = folder.path
	// Not our environment: it holds secrets, and variables that PostgreSQL would heed.
	cmd.Env = []string{"PATH=/usr/local/bin:/usr/bin:/bin", "LC_ALL=C"}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = end, folder.log.file, folder.log.file
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Credential: account.credential()}
	if err := cmd.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("starting the server's guard: %w", err), leash.Close())
	}

	g := &guard{pid: cmd.Process.Pid, leash: leash, exited: make(chan struct{})}
	go func() {
		g.err = cmd.Wait()
		close(g.exited)
	}()
	return g, nil
}

// whileAlive is a context that ends with the guard.
func (g *guard) whileAlive(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		defer cancel()
		select {
		case <-g.exited:
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}

// stop lets the guard stop the server, as our death would, and waits for both to end. It is called once.
func (g *guard) stop() error {
	g.released.Store(true)
	_ = g.leash.Close()
	select {
	case <-g.exited:
		return nil
	case <-time.After(stopTimeout):
	}
	// The server is in the guard's process group, and its children end when it does.
	err := syscall.Kill(-g.pid, syscall.SIGKILL)
	<-g.exited
	return errors.Join(errors.New("the server did not stop and was killed"), err)
}
