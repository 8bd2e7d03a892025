package main

import (
	"context"
	"fmt"
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
	config, err := c.configure(tracing)
	if err != nil {
		return err
	}
	config.logger = a.logger
	if config.pool, err = c.open(ctx, tracing.tracePool); err != nil {
		return err
	}
	defer config.pool.Close()
	if err := c.prepareSchema(ctx, config.pool, a.logger); err != nil {
		return err
	}
	config.pooled = c.pooled
	config.warn(ctx)
	warnOfTriggers(ctx, config.pool, a.logger)
	m, err := startMonolith(ctx, config)
	if err != nil {
		return err
	}
	a.logger.InfoContext(ctx, "Ready", "console", m.url+"/", "api", m.url+"/v1", "river_ui", m.url+"/riverui/")
	if config.adminToken != strings.TrimSpace(c.AdminToken) {
		_, _ = fmt.Fprintf(a.stderr, "No ADMIN_TOKEN is set: for this run it is %s\n", config.adminToken)
	}
	waitErr := m.wait(ctx)
	a.logger.Info("Stopping")
	if err := m.stop(); err != nil {
		return err
	}
	a.logger.Info("Stopped")
	return waitErr
}

// configure checks the flags, and returns what they say: all but the database.
func (c *serveCommand) configure(tracing *tracing) (config monolithConfig, err error) {
	config = monolithConfig{
		rate: c.rateFlags, drift: c.driftFlags, renew: c.renewFlags, keep: c.retentionFlags, riverSchema: c.RiverSchema,
		maxWorkers: c.MaxWorkers, addr: c.Addr, linkKey: c.LinkKey, metrics: metrics.New(), tracing: tracing,
	}
	if config.clerk, err = c.client(tracing.traceClerk(config.metrics.WatchClerk(clerk.NewTransport()))); err != nil {
		return config, err
	}
	if c.MaxWorkers < 1 || c.MaxWorkers > 10_000 {
		return config, usage("--max-workers must be between 1 and 10000, got %d", c.MaxWorkers)
	}
	if err = c.rateFlags.check(); err != nil {
		return config, err
	}
	if config.webhook, err = c.webhook(); err != nil {
		return config, err
	}
	config.adminToken, err = c.token()
	return config, err
}

// warn says what an operator should know of the configuration.
func (c *monolithConfig) warn(ctx context.Context) {
	if c.pooled {
		c.logger.InfoContext(ctx, "The database is behind a pooler: jobs are polled for",
			"query_exec_mode", c.pool.Config().ConnConfig.DefaultQueryExecMode.String())
	}
	if guessable(c.adminToken) && !isLoopback(c.addr) {
		c.logger.WarnContext(ctx, "ADMIN_TOKEN is easily guessed, and others can reach the address: make one with openssl rand -hex 16",
			"addr", c.addr)
	}
}
