package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/claimsync/claimsync/clerk"
	"github.com/claimsync/claimsync/clerk/clerktest"
	"github.com/claimsync/claimsync/db"
	"github.com/claimsync/claimsync/db/localpg"
	"github.com/claimsync/claimsync/jobs"
	"github.com/claimsync/claimsync/metrics"
)

type demoCommand struct {
	Once bool   `help:"Play the scenario, check its outcome, and exit: 0 if all is well, else 1."`
	Addr string `default:"127.0.0.1:0" help:"Where API and River UI listen. Default: a free port."`
	Logs bool   `help:"Show the log of the monolith too, with a line per push."`
}

func (*demoCommand) Help() string {
	return `Runs the whole product on this machine: a private PostgreSQL (its server programs must be installed, nothing needs
to run), the Clerk emulator, and the monolith with API, workers, console and River UI. Sixty sample organizations are imported;
their facts change through the API, scores are recalculated, tiers promoted, Clerk fails for a few seconds, an insurance
runs out by itself, somebody edits Clerk by hand, and another application lets in, by the session token alone, who renewed it.
Then it shows what Postgres and Clerk say of each, and goes on until Ctrl-C. Nothing is left behind.`
}

func (c *demoCommand) Run(ctx context.Context, a *app) error {
	stage, err := c.setStage(ctx, a)
	if err != nil {
		// Interrupted while starting: that is what was asked for.
		if ctx.Err() != nil && !c.Once {
			return nil
		}
		return err
	}
	err = c.play(ctx, stage)
	if ctx.Err() != nil && !c.Once {
		err = nil
	}
	return errors.Join(err, stage.strike())
}

func (c *demoCommand) play(ctx context.Context, s *stage) error {
	asker, err := s.scenario(ctx)
	if err != nil {
		return err
	}
	if c.Once {
		return nil
	}
	s.say("\nAPI       %s/v1   (Authorization: Bearer %s)", s.monolith.url, s.token)
	s.say("Console   %s/   (any user, password %s)", s.monolith.url, s.token)
	s.say("River UI  %s/riverui/   (the same)", s.monolith.url)
	s.say("Satellite %s/reports   (another application: it has session tokens alone)", s.satellite.url)
	s.say("Clerk     %s   (the emulator; what else it can do: app clerk-emulator --help)", s.clerk.URL())
	s.say("Postgres  %s", s.postgres.DSN())
	s.say(rehearsal, s.postgres.DSN(), s.clerk.URL(), s.clerk.URL())
	s.sayHowToAsk(asker)
	s.say("\nChanges go on until Ctrl-C.")
	return s.trickle(ctx)
}

// demoLimit is that of a production key.
var demoLimit = clerktest.Limit{Requests: 1000, Window: 10 * time.Second}

// rehearsal is for a person to see the worst once before it happens.
const rehearsal = `
Break Clerk in another terminal, find out what is wrong there and in the console, and mend it:

  export DATABASE_URL='%s'
  echo 503 | curl -T - %s/_control/script
  go run ./cmd/app status --watch
  curl -X DELETE %s/_control/faults`

// stage is everything the demo runs on.
type stage struct {
	app      *app
	postgres *localpg.Server
	pool     *pgxpool.Pool
	clerk    *clerktest.Server
	monolith *monolith
	token    string
	api      *apiClient

	satellite *satellite
	reader    *http.Client // of the satellite's reports, and of Clerk's keys

	closers []func() error // in the order of starting
}

// setStage starts everything. If something fails, what has started is stopped.
func (c *demoCommand) setStage(ctx context.Context, a *app) (_ *stage, err error) {
	s := &stage{app: a, token: rand.Text()}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.strike())
		}
	}()
	logger := a.logger
	if !c.Logs {
		logger = slog.New(slog.DiscardHandler)
	}

	s.say("Starting PostgreSQL, the Clerk emulator, the monolith and a satellite …")
	started := time.Now()
	if s.postgres, err = localpg.Start(ctx, localpg.Config{Logger: logger}); err != nil {
		return nil, err
	}
	s.atEnd(s.postgres.Stop)
	if s.pool, err = db.Open(ctx, s.postgres.DSN()); err != nil {
		return nil, err
	}
	s.atEnd(func() error { s.pool.Close(); return nil })
	if err = db.Migrate(ctx, s.pool, db.MigrateConfig{Logger: logger}); err != nil {
		return nil, err
	}
	if s.clerk, err = clerktest.Start(clerktest.Config{InstanceLimit: demoLimit, HistoryLimit: 10_000}); err != nil {
		return nil, err
	}
	s.atEnd(s.clerk.Close)
	registry := metrics.New()
	client, err := clerk.New(clerk.Config{
		SecretKey: clerktest.DefaultSecretKey, BaseURL: s.clerk.BaseURL(), Transport: registry.WatchClerk(clerk.NewTransport()),
	})
	if err != nil {
		return nil, err
	}
	s.atEnd(func() error { client.CloseIdleConnections(); return nil })
	s.monolith, err = startMonolith(ctx, monolithConfig{
		pool: s.pool, clerk: client, rate: rateFlags{RateLimit: demoLimit.Requests},
		riverSchema: db.DefaultRiverSchema, maxWorkers: jobs.DefaultMaxWorkers,
		addr: c.Addr, adminToken: s.token, metrics: registry, logger: logger,
	})
	if err != nil {
		return nil, err
	}
	s.atEnd(s.monolith.stop)
	s.api = newAPIClient(s.monolith.url, s.token)
	s.atEnd(s.api.close)
	if err = s.startSatellite(ctx, logger); err != nil {
		return nil, err
	}
	s.say("  ready after %s", since(started))
	return s, nil
}

func (s *stage) atEnd(stop func() error) { s.closers = append(s.closers, stop) }

// strike stops everything, the last first.
func (s *stage) strike() (err error) {
	for len(s.closers) > 0 {
		last := len(s.closers) - 1
		err = errors.Join(err, s.closers[last]())
		s.closers = s.closers[:last]
	}
	return err
}

func (s *stage) say(format string, args ...any) {
	_, _ = fmt.Fprintf(s.app.stdout, format+"\n", args...)
}

// since is for people.
func since(start time.Time) time.Duration { return time.Since(start).Round(time.Millisecond) }
