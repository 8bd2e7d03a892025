// Package pgbouncer starts PgBouncer for a test.
package pgbouncer

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// path is where Debian has it, which is on root's PATH only.
const path = "/usr/sbin/pgbouncer"

// Need returns where PgBouncer is. Without it the test is left out, unless CLAIMSYNC_PGBOUNCER is "required", as
// in CI.
func Need(t testing.TB) string {
	t.Helper()
	found, err := exec.LookPath("pgbouncer")
	if err == nil {
		return found
	}
	if _, statErr := os.Stat(path); statErr == nil {
		return path
	}
	if os.Getenv("CLAIMSYNC_PGBOUNCER") == "required" {
		t.Fatal(err)
	}
	t.Skip("no pgbouncer (Debian: apt-get install pgbouncer): not tried")
	return ""
}

// settings make what one transaction leaves behind meet another one as soon as can be: transactions take turns on few
// connections. Nothing that a client sends when it connects is ignored.
const settings = `[databases]
* = host=%s port=%s user=%s password=%s

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = %d
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = %d
server_round_robin = 1
max_client_conn = 500
`

// Start starts PgBouncer in transaction mode, with so many connections to the server, and returns the URL of the same
// database through it.
func Start(t testing.TB, database string, connections int) string {
	t.Helper()
	program := Need(t)
	through, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	password, _ := through.User.Password()
	port := freePort(t)
	text := fmt.Sprintf(settings, through.Hostname(), through.Port(), through.User.Username(), password, port, connections)
	if os.Geteuid() == 0 { // as which it does not run
		text += "user = nobody\n"
	}
	file := filepath.Join(t.TempDir(), "pgbouncer.ini")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	runBeside(t, program, file)
	through.Host = net.JoinHostPort("127.0.0.1", fmt.Sprint(port))
	awaitListener(t, through.Host)
	return through.String()
}

// runBeside runs a program until the test ends, and shows what it said if that failed.
func runBeside(t testing.TB, program string, args ...string) {
	t.Helper()
	var said strings.Builder
	command := exec.Command(program, args...)
	command.Stderr = &said
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = command.Process.Kill()
		_ = command.Wait()
		if t.Failed() {
			t.Logf("%s said:\n%s", filepath.Base(program), said.String()[max(0, said.Len()-3000):])
		}
	})
}

func freePort(t testing.TB) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().(*net.TCPAddr).Port
}

func awaitListener(t testing.TB, address string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
		if err == nil {
			_ = conn.Close()
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("nothing listens on %s: %v", address, err)
		case <-time.After(10 * time.Millisecond):
		}
	}
}
