package console

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"github.com/claimsync/claimsync"
	"github.com/claimsync/claimsync/internal/mount"
)

const (
	// DefaultRequestTimeout bounds a page: long enough for a lock or a connection.
	DefaultRequestTimeout = 10 * time.Second
	// DefaultFanOutTimeout bounds what is done to many organizations at once, and what waits for Clerk.
	DefaultFanOutTimeout = 20 * time.Second
)

// Config is what a console works with.
type Config struct {
	// Sync is what it is the console of. Required.
	Sync *claimsync.Sync

	// River inserts jobs, which they are that the pages link to. Required.
	River *river.Client[pgx.Tx]

	// Prefix is the path below which the console is mounted, as in /internal/claimsync: requests come with it, and links have
	// it. Defaults to none.
	Prefix string

	// Operator returns the name by which the operator log knows whoever makes the request, whom the application has let in.
	// Defaults to the user name of Basic authentication.
	Operator func(*http.Request) string

	// JobsPath is where River UI has its jobs, each below its id. Defaults to nowhere: then nothing links to them.
	JobsPath string

	// RequestTimeout is the deadline of a page. Defaults to DefaultRequestTimeout.
	RequestTimeout time.Duration

	// FanOutTimeout is the deadline of what is done to many organizations at once; what is not done by then is left, and the
	// page says so. It must be below the server's WriteTimeout. Defaults to DefaultFanOutTimeout.
	FanOutTimeout time.Duration

	// Logger gets failures. Defaults to none.
	Logger *slog.Logger
}

func (c Config) withDefaults() (Config, error) {
	switch {
	case c.Sync == nil:
		return c, errors.New("console: Config.Sync is required")
	case c.River == nil:
		return c, errors.New("console: Config.River is required")
	}
	if err := mount.CheckPrefix(c.Prefix); err != nil {
		return c, fmt.Errorf("console: %w", err)
	}
	if c.RequestTimeout == 0 {
		c.RequestTimeout = DefaultRequestTimeout
	}
	if c.FanOutTimeout == 0 {
		c.FanOutTimeout = DefaultFanOutTimeout
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c, nil
}
