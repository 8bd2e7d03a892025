package dbtest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/claimsync/claimsync/db/localpg"
)

// createsAtOnce bounds how many databases a test binary makes at the same time.
const createsAtOnce = 4

// privateSettings let many parallel tests in, and keep small what every test binary has one of.
var privateSettings = map[string]string{
	"max_connections": "600",
	"shared_buffers":  "32MB",
	"max_wal_size":    "128MB",

	"max_prepared_transactions": "20", // foreign writers may have some
}

// server is where the databases are made.
type server struct {
	admin        *pgxpool.Pool
	url          func(database string) string
	stop         func() error // does nothing to a server that was there before
	templateName string
	template     func() error // makes it, at the first call
}

// startServer connects to the server at databaseURL, or starts a private one if that is empty.
func startServer(ctx context.Context, databaseURL string) (*server, error) {
	if databaseURL != "" {
		return connect(ctx, databaseURL, &server{
			url:  func(database string) string { return withDatabase(databaseURL, database) },
			stop: func() error { return nil },
		})
	}
	private, err := localpg.Start(ctx, localpg.Config{
		Settings: privateSettings, InMemory: true,
		Logger: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
	})
	if err != nil {
		return nil, err
	}
	return connect(ctx, private.DSN(), &server{url: private.URL, stop: private.Stop})
}

func connect(ctx context.Context, adminURL string, s *server) (*server, error) {
	s.templateName = randomName()
	s.template = sync.OnceValue(s.makeTemplate)
	config, err := pgxpool.ParseConfig(adminURL)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("database URL: %w", err), s.stop())
	}
	config.MaxConns = createsAtOnce
	if s.admin, err = pgxpool.NewWithConfig(ctx, config); err != nil {
		return nil, errors.Join(err, s.stop())
	}
	if err := s.admin.Ping(ctx); err != nil {
		s.admin.Close()
		return nil, errors.Join(err, s.stop())
	}
	return s, nil
}

// close leaves nothing behind, on either kind of server.
func (s *server) close() error {
	err := s.drop(s.templateName)
	s.admin.Close()
	return errors.Join(err, s.stop())
}

// withDatabase names another database in a connection string, a URL or keywords and values.
func withDatabase(databaseURL, database string) string {
	u, err := url.Parse(databaseURL)
	if err != nil || u.Scheme == "" {
		return strings.TrimSpace(databaseURL) + " dbname=" + database // the last one counts
	}
	query := u.Query()
	query.Del("dbname") // either would win over the path
	query.Del("database")
	u.RawQuery = query.Encode()
	u.Path, u.RawPath = "/"+database, ""
	return u.String()
}
