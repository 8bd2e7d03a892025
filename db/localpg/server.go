//go:build unix

package localpg

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"strconv"
	"sync"
	"time"
)

// superuser is the role that clients connect as.
const superuser = "postgres"

// portAttempts bounds how often Start looks for another port after losing one.
const portAttempts = 5

var errPortTaken = errors.New("the port is taken")

// Server is a running PostgreSQL server. Its methods are safe for concurrent use.
type Server struct {
	folder *folder
	guard  *guard
	port   int
	stop   func() error
}

// Start creates the server's folder, unless it is kept from an earlier start, runs the server in it and returns once it
// answers. The context bounds Start alone, not the life of the server: that is up to Stop, or to the end of this process.
//
// The error wraps ErrNotFound if there are no PostgreSQL programs to be had, and quotes the end of the server's log if
// the server refused to start.
func Start(ctx context.Context, config Config) (*Server, error) {
	config, err := config.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("private PostgreSQL server: %w", err)
	}
	begun := time.Now()
	programs, err := findOrFetch(ctx, config.Logger)
	if err != nil {
		return nil, err
	}
	server, err := startOnAnyPort(ctx, config, programs)
	if err != nil {
		return nil, fmt.Errorf("starting a private PostgreSQL %s server: %w", programs.version, err)
	}
	config.Logger.InfoContext(ctx, "Private PostgreSQL server started", "version", programs.version,
		"port", server.port, "dir", server.folder.path, "duration", time.Since(begun))
	go server.reportDeath(config.Logger)
	return server, nil
}

func startOnAnyPort(ctx context.Context, config Config, programs programs) (server *Server, err error) {
	for range portAttempts {
		server, err = startOnce(ctx, config, programs)
		if !errors.Is(err, errPortTaken) || config.Port != 0 {
			break
		}
	}
	return server, err
}

func startOnce(ctx context.Context, config Config, programs programs) (*Server, error) {
	ctx, cancel := context.WithTimeout(ctx, config.StartTimeout)
	defer cancel()

	account, err := serverAccount()
	if err != nil {
		return nil, err
	}
	folder, err := openFolder(config, account, programs.major)
	if err != nil {
		return nil, err
	}
	port, err := config.pickPort()
	if err != nil {
		return nil, errors.Join(err, folder.close())
	}
	guard, err := startGuard(folder, account, programs.commands(config, port))
	if err != nil {
		return nil, errors.Join(err, folder.close())
	}
	config.Logger.DebugContext(ctx, "Private PostgreSQL server starting", "dir", folder.path, "port", port)

	server := &Server{folder: folder, guard: guard, port: port}
	server.stop = sync.OnceValue(func() error { return errors.Join(guard.stop(), folder.close()) })
	if err := server.awaitReady(ctx); err != nil {
		if tail := folder.log.tail(); tail != "" {
			err = fmt.Errorf("%w; the end of its log:\n%s", err, tail)
		}
		return nil, errors.Join(err, server.stop())
	}
	return server, nil
}

// DSN is the URL of the database "postgres", which every server has.
func (s *Server) DSN() string { return s.URL("postgres") }

// URL is the connection string for a database on this server, whether it exists yet or not. It holds the password of
// the server's superuser.
func (s *Server) URL(database string) string {
	u := url.URL{
		Scheme:   "postgres",
		User:     url.UserPassword(superuser, s.folder.password),
		Host:     net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)),
		Path:     "/" + database,
		RawQuery: "sslmode=disable",
	}
	return u.String()
}

// Dir is the folder with the server's data and its log, server.log.
func (s *Server) Dir() string { return s.folder.path }

// Stop disconnects all clients, shuts the server down and removes its folder if that is temporary. It may be called more
// than once, and waits for the end each time. A server that does not shut down is killed, at the latest after half a
// minute.
func (s *Server) Stop() error { return s.stop() }

// reportDeath logs the end of a server that nobody stopped.
func (s *Server) reportDeath(logger *slog.Logger) {
	<-s.guard.exited
	if !s.guard.released.Load() {
		logger.Error("Private PostgreSQL server died", "err", s.guard.err, "log", s.folder.log.tail())
	}
}
