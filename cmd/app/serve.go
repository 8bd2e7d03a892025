package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"

	"github.com/claimsync/claimsync/clerk"
	"github.com/claimsync/claimsync/metrics"
)

type serveCommand struct {
	databaseFlags
	clerkFlags
	listenFlags
	rateFlags
	webhookFlags
	driftFlags
	renewFlags
	retentionFlags
	MaxWorkers int  `name:"max-workers" default:"32" help:"Pushes to Clerk at once."`
	Migrate    bool `default:"true" negatable:"" help:"Migrate the database first. With --no-migrate, refuse one that lacks migrations."`
}

// listenFlags say who gets in, and where.
type listenFlags struct {
	Addr       string `name:"addr" envvar:"HTTP_ADDR" default:"127.0.0.1:8080" help:"Where to listen."`
	AdminToken string `name:"admin-token" envvar:"ADMIN_TOKEN" placeholder:"TOKEN" help:"Opens console, API and River UI. Required unless bound to loopback, where one is made up and printed."`
}

// rateFlags say what of Clerk's rate limits is ours.
type rateFlags struct {
	RateLimit             int     `name:"clerk-rate-limit" envvar:"CLERK_RATE_LIMIT" default:"0" placeholder:"N" help:"Requests per 10 s that Clerk admits for the key; -1 for no limit. Default: 1000 for sk_live_, else 100."`
	RateShare             float64 `name:"clerk-rate-share" envvar:"CLERK_RATE_SHARE" default:"0.9" help:"Share of Clerk's limits that all processes together use; the rest is for others with the same key."`
	OrganizationRateLimit int     `name:"clerk-organization-rate-limit" envvar:"CLERK_ORGANIZATION_RATE_LIMIT" default:"10" placeholder:"N" help:"Writes to one organization per 10 s that Clerk admits; -1 for no limit."`
}

func (f *rateFlags) check() error {
	switch {
	case f.RateLimit < -1:
		return usage("--clerk-rate-limit (CLERK_RATE_LIMIT) must be a number of requests per 10 s, or -1 for no limit, got %d", f.RateLimit)
	case f.OrganizationRateLimit < -1 || f.OrganizationRateLimit == 0:
		return usage("--clerk-organization-rate-limit (CLERK_ORGANIZATION_RATE_LIMIT) must be a number of writes per 10 s, or -1 for no limit, got %d", f.OrganizationRateLimit)
	case !(f.RateShare > 0 && f.RateShare <= 1): // NaN too
		return usage("--clerk-rate-share (CLERK_RATE_SHARE) must be above 0 and up to 1, got %g", f.RateShare)
	}
	return nil
}

// webhookFlags are about Clerk's events.
type webhookFlags struct {
	WebhookSecret string `name:"clerk-webhook-secret" envvar:"CLERK_WEBHOOK_SECRET" placeholder:"SECRET" help:"Signs Clerk's webhooks, whsec_…. Without it there is no /webhooks/clerk."`
	LinkKey       string `name:"clerk-link-key" envvar:"CLERK_LINK_KEY" default:"${link_key}" help:"Where the private metadata of a Clerk organization has the id of ours that its creation links it to; \"-\" for nowhere."`
}

// webhook returns nil if there is no secret.
func (f *webhookFlags) webhook() (*clerk.Webhook, error) {
	secret := strings.TrimSpace(f.WebhookSecret) // a file's last newline is not part of it
	if secret == "" {
		return nil, nil
	}
	webhook, err := clerk.NewWebhook(secret)
	if err != nil {
		return nil, usage("%w (CLERK_WEBHOOK_SECRET)", err)
	}
	return webhook, nil
}

// clerkFlags are the flags of the commands that call Clerk.
type clerkFlags struct {
	ClerkSecretKey string `name:"clerk-secret-key" envvar:"CLERK_SECRET_KEY" placeholder:"KEY" help:"Clerk's secret key, sk_live_… or sk_test_…. Better in the environment than here, where others see it."`
	ClerkAPIURL    string `name:"clerk-api-url" envvar:"CLERK_API_URL" placeholder:"URL" help:"Clerk's API with its /v1. Default: Clerk's own."`
}

// client returns a client that calls by transport; nil: by its own.
func (f *clerkFlags) client(transport http.RoundTripper) (*clerk.Client, error) {
	client, err := clerk.New(clerk.Config{SecretKey: f.ClerkSecretKey, BaseURL: f.ClerkAPIURL, Transport: transport})
	if err != nil {
		return nil, usage("%w (CLERK_SECRET_KEY, CLERK_API_URL)", err)
	}
	return client, nil
}

func (*serveCommand) Help() string {
	return `Runs the monolith: the operator console at /, the HTTP API at /v1, River UI at /riverui/, the workers that push to Clerk.
Any number of processes may share a database.

  DATABASE_URL=postgres://… CLERK_SECRET_KEY=sk_… ADMIN_TOKEN=… app serve

With CLERK_WEBHOOK_SECRET, Clerk's webhooks are taken at POST /webhooks/clerk. Subscribe its endpoint to
organization.created, organization.updated and organization.deleted: a Clerk organization that is created with the id of one
of ours in its private metadata is linked to it, one that somebody else changes is put right, one that is deleted is unlinked.

Traces go to the OpenTelemetry collector that OTEL_EXPORTER_OTLP_ENDPOINT names (HTTP with protobuf), or to standard output
with OTEL_TRACES_EXPORTER=console; OTEL_SERVICE_NAME, OTEL_TRACES_SAMPLER and the like mean what they always do. There are none
by default.

Behind PgBouncer in transaction mode it works too, a little slower: nothing is left in a session, and jobs are polled for,
every 100 ms, instead of announced. A connection to a pooler is recognized; --database-pooler=no is for one in session mode.

A variable may be replaced by one with _FILE at its end, which names a file that holds the value: for secrets.

SIGTERM or SIGINT stops it gracefully: pushes under way finish. A second signal ends it at once, which loses nothing
either.`
}

func (c *serveCommand) Run(ctx context.Context, a *app) error {
	tracing, err := startTracing(ctx, a.getenv, a.stdout, a.logger)
	if err != nil {
		return err
	}
	defer tracing.stop()
	registry := metrics.New()
	client, err := c.client(tracing.traceClerk(registry.WatchClerk(clerk.NewTransport())))
	if err != nil {
		return err
	}
	if c.MaxWorkers < 1 || c.MaxWorkers > 10_000 {
		return usage("--max-workers must be between 1 and 10000, got %d", c.MaxWorkers)
	}
	if err := c.rateFlags.check(); err != nil {
		return err
	}
	webhook, err := c.webhook()
	if err != nil {
		return err
	}
	token, err := c.token()
	if err != nil {
		return err
	}
	pool, err := c.open(ctx, tracing.tracePool)
	if err != nil {
		return err
	}
	defer pool.Close()
	if err := c.prepareSchema(ctx, pool, a.logger); err != nil {
		return err
	}
	if c.pooled {
		a.logger.InfoContext(ctx, "The database is behind a pooler: statements are not prepared, and jobs are polled for")
	}
	if guessable(token) && !isLoopback(c.Addr) {
		a.logger.WarnContext(ctx, "ADMIN_TOKEN is easily guessed, and others can reach the address: make one with openssl rand -hex 16",
			"addr", c.Addr)
	}
	m, err := startMonolith(ctx, monolithConfig{
		pool: pool, pooled: c.pooled, clerk: client, rate: c.rateFlags, drift: c.driftFlags, renew: c.renewFlags, keep: c.retentionFlags,
		riverSchema: c.RiverSchema, maxWorkers: c.MaxWorkers, addr: c.Addr, adminToken: token, webhook: webhook, linkKey: c.LinkKey,
		metrics: registry, tracing: tracing, logger: a.logger,
	})
	if err != nil {
		return err
	}
	a.logger.InfoContext(ctx, "Ready", "console", m.url+"/", "api", m.url+"/v1", "river_ui", m.url+"/riverui/")
	if token != strings.TrimSpace(c.AdminToken) {
		_, _ = fmt.Fprintf(a.stderr, "No ADMIN_TOKEN is set: for this run it is %s\n", token)
	}
	waitErr := m.wait(ctx)
	a.logger.Info("Stopping")
	if err := m.stop(); err != nil {
		return err
	}
	a.logger.Info("Stopped")
	return waitErr
}

// token returns the token that opens the API, made up if none is set. Without one, a port that others can reach is not
// opened.
func (c *serveCommand) token() (string, error) {
	switch token := strings.TrimSpace(c.AdminToken); { // a file's last newline is not part of it
	case token != "":
		return token, nil
	case !isLoopback(c.Addr):
		return "", usage("ADMIN_TOKEN is not set, and %s is not a loopback address: others could change scores", c.Addr)
	default:
		return rand.Text(), nil
	}
}

// guessable reports whether trying would find the token. Nothing counts the attempts: whoever can reach us may make many.
func guessable(token string) bool {
	different := map[rune]bool{}
	for _, character := range token {
		different[character] = true
	}
	return len(token) < 16 || len(different) < 8
}

// isLoopback reports whether only this machine can reach the address. A name other than localhost could mean anything.
func isLoopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.Unmap().IsLoopback()
}
