package web

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/claimsync/claimsync"
	"github.com/claimsync/claimsync/scoring"
)

// DefaultRequestTimeout bounds a request of the API: enough to wait for a lock or a connection, and too short for
// requests to pile up while Postgres does not answer.
const DefaultRequestTimeout = 10 * time.Second

// Config is what a handler works with.
type Config struct {
	// Pool is the database. Required.
	Pool *pgxpool.Pool

	// Store writes organizations and marks them in the outbox. Required.
	Store *scoring.Store

	// Sync says how organizations are synced, and keeps the operator log. Required.
	Sync *claimsync.Sync

	// AdminToken opens everything that is not open to all. Required: an empty one would open it to everybody. Nor may it
	// begin or end with space, such as the newline at the end of a file, which a bearer header does not carry.
	AdminToken string `json:"-"`

	// RiverUI is served at /riverui/, see NewRiverUI. Nil: not at all.
	RiverUI http.Handler

	// Console is served at / and the paths that console.New names. Nil: not at all, and / leads to River UI.
	Console http.Handler

	// Metrics is served at /metrics, without the token. Nil: not at all.
	Metrics http.Handler

	// Webhook takes Clerk's events, posted to /webhooks/clerk without the token: they are signed. Nil: there is no such
	// route.
	Webhook Webhook

	// RequestTimeout is the deadline of what a request of the API does in the database. Reading its body is up to
	// http.Server's ReadTimeout. Defaults to DefaultRequestTimeout.
	RequestTimeout time.Duration

	// Logger gets failures, and at debug level a line per request. Defaults to none.
	Logger *slog.Logger
}

// Format implements fmt.Formatter: a configuration that is printed, by whatever verb, does not show the token.
func (c Config) Format(state fmt.State, _ rune) { _, _ = fmt.Fprint(state, c.redacted()) }

// LogValue implements slog.LogValuer.
func (c Config) LogValue() slog.Value { return slog.StringValue(c.redacted()) }

func (c Config) redacted() string {
	return fmt.Sprintf("web.Config{RequestTimeout: %s}", c.RequestTimeout)
}

func (c Config) withDefaults() (Config, error) {
	switch {
	case c.Pool == nil:
		return c, errors.New("web: Config.Pool is required")
	case c.Store == nil:
		return c, errors.New("web: Config.Store is required")
	case c.Sync == nil:
		return c, errors.New("web: Config.Sync is required")
	case c.AdminToken == "":
		return c, errors.New("web: Config.AdminToken is required")
	case c.AdminToken != strings.TrimSpace(c.AdminToken):
		return c, errors.New("web: Config.AdminToken begins or ends with space")
	}
	if c.RequestTimeout == 0 {
		c.RequestTimeout = DefaultRequestTimeout
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c, nil
}
