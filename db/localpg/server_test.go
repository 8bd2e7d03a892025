//go:build unix

package localpg

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

func start(t *testing.T, config Config) *Server {
	t.Helper()
	server, err := Start(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	return server
}

func connect(t *testing.T, server *Server) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), server.DSN())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(t.Context()) })
	return conn
}

func settings(t *testing.T, conn *pgx.Conn, names ...string) map[string]string {
	t.Helper()
	found := make(map[string]string)
	for _, name := range names {
		var value string
		if err := conn.QueryRow(t.Context(), "SELECT current_setting($1)", name).Scan(&value); err != nil {
			t.Fatal(err)
		}
		found[name] = value
	}
	return found
}

func processGone(pid int) bool { return errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) }

func folderGone(dir string) bool {
	_, err := os.Stat(dir)
	return errors.Is(err, os.ErrNotExist)
}

func TestServerIsPrivateAndLeavesNothing(t *testing.T) {
	t.Parallel()
	server := start(t, Config{Settings: map[string]string{"max_connections": "42", "listen_addresses": "*"}})
	want := map[string]string{
		"fsync": "off", "TimeZone": "UTC", "server_encoding": "UTF8", "max_connections": "42",
		"listen_addresses": "127.0.0.1", "unix_socket_directories": "",
	}
	got := settings(t, connect(t, server), "fsync", "TimeZone", "server_encoding", "max_connections",
		"listen_addresses", "unix_socket_directories")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("settings (-want +got):\n%s", diff)
	}

	pid := mustPostmasterPID(server.Dir())
	if group, err := syscall.Getpgid(pid); err != nil || group == syscall.Getpgrp() {
		t.Errorf("the server is in process group %d, %v: Ctrl-C would stop it before us", group, err)
	}
	for range 2 {
		if err := server.Stop(); err != nil { // with a client connected
			t.Fatal(err)
		}
	}
	if !processGone(pid) || !folderGone(server.Dir()) {
		t.Errorf("after Stop: process gone %t, folder gone %t", processGone(pid), folderGone(server.Dir()))
	}
}

func TestServerRefusesOtherPasswords(t *testing.T) {
	t.Parallel()
	server := start(t, Config{})
	config, err := pgx.ParseConfig(server.DSN())
	if err != nil {
		t.Fatal(err)
	}
	config.Password = "guessed"
	_, err = pgx.ConnectConfig(t.Context(), config)
	var refused *pgconn.PgError
	if !errors.As(err, &refused) || refused.Code != "28P01" {
		t.Errorf("connecting with a wrong password: %v, want 28P01", err)
	}
}

func TestServerDurable(t *testing.T) {
	t.Parallel()
	conn := connect(t, start(t, Config{Durable: true}))
	want := map[string]string{"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
	got := settings(t, conn, "fsync", "synchronous_commit", "full_page_writes")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("settings (-want +got):\n%s", diff)
	}
}

// A crash of PostgreSQL alone, which tests cause, must not lose what was committed: that is synchronous_commit.
func TestServerNotDurable(t *testing.T) {
	t.Parallel()
	conn := connect(t, start(t, Config{}))
	want := map[string]string{"fsync": "off", "synchronous_commit": "on", "full_page_writes": "off"}
	got := settings(t, conn, "fsync", "synchronous_commit", "full_page_writes")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("settings (-want +got):\n%s", diff)
	}
}

func TestStartQuotesTheServersLog(t *testing.T) {
	t.Parallel()
	_, err := Start(t.Context(), Config{Settings: map[string]string{"max_connections": "many"}})
	if err == nil || !strings.Contains(err.Error(), `"many"`) {
		t.Errorf("Start with a wrong setting: %v, want an error that quotes it", err)
	}
}

func TestStartGivesUp(t *testing.T) {
	t.Parallel()
	begun := time.Now()
	_, err := Start(t.Context(), Config{StartTimeout: time.Millisecond})
	if err == nil {
		t.Error("a server started within a millisecond")
	}
	if took := time.Since(begun); took > stopTimeout/2 {
		t.Errorf("Start gave up after %s", took)
	}
}

func takenPort(t *testing.T) int {
	t.Helper()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	return listener.Addr().(*net.TCPAddr).Port
}

func TestStartTriesAnotherPortAfterLosingOne(t *testing.T) {
	t.Parallel()
	ports := []int{takenPort(t), takenPort(t)}
	server := start(t, Config{pickPort: func() (int, error) {
		if len(ports) == 0 {
			return freePort()
		}
		port := ports[0]
		ports = ports[1:]
		return port, nil
	}})
	connect(t, server)
}

func TestStartReportsTheWantedPortTaken(t *testing.T) {
	t.Parallel()
	_, err := Start(t.Context(), Config{Port: takenPort(t)})
	if !errors.Is(err, errPortTaken) {
		t.Errorf("Start on a taken port: %v, want %v", err, errPortTaken)
	}
}

func TestStartRefusesAConfig(t *testing.T) {
	t.Parallel()
	for _, config := range []Config{{Port: -1}, {Port: 65536}, {StartTimeout: -1}} {
		if _, err := Start(t.Context(), config); err == nil {
			t.Errorf("Start(%+v) succeeded", config)
		}
	}
}

func TestServerDeathIsLogged(t *testing.T) {
	t.Parallel()
	records := make(chan slog.Record, 10)
	server := start(t, Config{Logger: slog.New(recorder{records: records})})
	if started := <-records; started.Level != slog.LevelDebug {
		t.Errorf("first record: %v", started)
	}
	if started := <-records; started.Level != slog.LevelInfo {
		t.Errorf("second record: %v", started)
	}
	// As good as a crash, and the server removes its shared memory.
	if err := syscall.Kill(mustPostmasterPID(server.Dir()), syscall.SIGQUIT); err != nil {
		t.Fatal(err)
	}
	if died := <-records; died.Level != slog.LevelError {
		t.Errorf("after the server ended: %v", died)
	}
}

// recorder is a log handler that sends the records to a channel.
type recorder struct {
	slog.Handler
	records chan slog.Record
}

func (recorder) Enabled(context.Context, slog.Level) bool { return true }

func (r recorder) Handle(_ context.Context, record slog.Record) error {
	r.records <- record
	return nil
}

// A server in memory works like any other, and leaves nothing there.
func TestInMemory(t *testing.T) {
	t.Parallel()
	memory := memoryFolder()
	if memory == "" {
		t.Skip("no room in memory")
	}
	server, err := Start(t.Context(), Config{InMemory: true})
	if err != nil {
		t.Fatal(err)
	}
	dir := settings(t, connect(t, server), "data_directory")["data_directory"]
	if !strings.HasPrefix(dir, memory+"/") {
		t.Errorf("the data is in %s", dir)
	}
	if err := server.Stop(); err != nil || !folderGone(dir) {
		t.Errorf("stopped: %v, folder gone: %t", err, folderGone(dir))
	}
}
