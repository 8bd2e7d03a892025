package torture

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/claimsync/claimsync/db"
	"github.com/claimsync/claimsync/db/localpg"
)

// privateServer is a PostgreSQL server that may crash without harm to other tests.
type privateServer struct {
	t      *testing.T
	config localpg.Config
	*localpg.Server
}

// newPrivateServer starts a server of the test's own.
func newPrivateServer(t *testing.T) *privateServer {
	t.Helper()
	dir, err := os.MkdirTemp("", "claimsync-torture-pg-") // not t.TempDir: others cannot reach that
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	s := &privateServer{t: t, config: localpg.Config{
		DataDir:  dir,
		Settings: map[string]string{"shared_buffers": "32MB", "max_wal_size": "128MB"},
		Logger:   slog.New(slog.DiscardHandler), // its death is no news
	}}
	s.start()
	t.Cleanup(func() { _ = s.Stop() })
	port, err := pgx.ParseConfig(s.DSN())
	if err != nil {
		t.Fatal(err)
	}
	s.config.Port = int(port.Port)
	return s
}

func (s *privateServer) start() {
	s.t.Helper()
	var err error
	if s.Server, err = localpg.Start(s.t.Context(), s.config); err != nil {
		s.t.Fatal(err)
	}
}

// restart waits for the end of the server, which has been told to, and starts it again.
func (s *privateServer) restart() {
	s.t.Helper()
	if err := s.Stop(); err != nil {
		s.t.Fatal(err)
	}
	s.start()
}

// fleet makes a fleet on the server.
func (s *privateServer) fleet(organizations int) *fleet {
	s.t.Helper()
	pool, err := db.Open(s.t.Context(), s.DSN())
	if err != nil {
		s.t.Fatal(err)
	}
	defer pool.Close()
	if err := db.Migrate(s.t.Context(), pool, db.MigrateConfig{}); err != nil {
		s.t.Fatal(err)
	}
	return newFleetOn(s.t, s.DSN(), organizations)
}

// postmaster is the process that all others of the server are children of.
func (s *privateServer) postmaster() int {
	s.t.Helper()
	content, err := os.ReadFile(filepath.Join(s.Dir(), "pgdata", "postmaster.pid"))
	if err != nil {
		s.t.Fatal(err)
	}
	line, _, _ := bytes.Cut(content, []byte("\n"))
	pid, err := strconv.Atoi(string(line))
	if err != nil {
		s.t.Fatal(err)
	}
	return pid
}

// answers waits until the server works, again.
func (s *privateServer) answers() {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), time.Minute)
	defer cancel()
	for {
		conn, err := pgx.Connect(ctx, s.DSN())
		if err == nil {
			_ = conn.Close(ctx)
			return
		}
		if ctx.Err() != nil {
			s.t.Fatalf("the server does not come back: %v", err)
		}
		pause(ctx, 20*time.Millisecond)
	}
}
