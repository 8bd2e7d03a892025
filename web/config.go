package web

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"

	"github.com/claimsync/claimsync"
	"github.com/claimsync/claimsync/internal/mount"
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

	// AdminToken opens everything that is not open to all. Required, unless there is Authorize: an empty one would open it to
	// everybody. Nor may it begin or end with space, such as the newline at the end of a file, which a bearer header does not
	// carry.
	AdminToken string `json:"-"`

	// Authorize is an application's own way to open all that, instead of AdminToken: it says whether whoever makes the request
	// may, and by what name the operator log knows them. A request that it turns down is answered with 401; to lead a browser
	// to a login is for a handler before this one.
	Authorize func(*http.Request) (operator string, ok bool)

	// Prefix is the path below which the handler is mounted, such as "/internal/claimsync": requests come with it, and links
	// and redirects have it. Defaults to none.
	Prefix string

	// River is the client that inserts jobs. With it there are the console at / and River UI at /riverui/, which need
	// Handler.Start; without, there is the API.
	River *river.Client[pgx.Tx]

	// NoRiverUI leaves out River UI. Whom the handler lets in can see, cancel, retry and delete all jobs there, those of the
	// application too.
	NoRiverUI bool

	// FanOutTimeout is console.Config's.
	FanOutTimeout time.Duration

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
	case c.AdminToken == "" && c.Authorize == nil:
		return c, errors.New("web: Config.AdminToken or Config.Authorize is required")
	case c.AdminToken != "" && c.Authorize != nil:
		return c, errors.New("web: Config.AdminToken and Config.Authorize exclude each other")
	case c.AdminToken != strings.TrimSpace(c.AdminToken):
		return c, errors.New("web: Config.AdminToken begins or ends with space")
	}
	if err := mount.CheckPrefix(c.Prefix); err != nil {
		return c, fmt.Errorf("web: %w", err)
	}
	if c.RequestTimeout == 0 {
		c.RequestTimeout = DefaultRequestTimeout
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c, nil
}
