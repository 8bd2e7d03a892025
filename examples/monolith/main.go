// Command monolith is an application that was there before claimsync: with a table, a job, a worker, a mux and an
// authentication of its own, on one pool and one River client. What claimsync took to add is between "claimsync:" and "end",
// here and in projects.go; crm.go is a destination of its own beside Clerk, which is optional.
//
//	DATABASE_URL=postgres://… CLERK_SECRET_KEY=sk_… CRM_URL=https://… CRM_KEY=… STAFF_PASSWORD=… go run ./examples/monolith
package main

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"github.com/claimsync/claimsync"
	"github.com/claimsync/claimsync/clerk"
	"github.com/claimsync/claimsync/jobs"
	"github.com/claimsync/claimsync/scoring"
	"github.com/claimsync/claimsync/web"
)

// application is what the handlers work with.
type application struct {
	pool          *pgxpool.Pool
	river         *river.Client[pgx.Tx]
	staffPassword string
	scores        *scoring.Store                              // claimsync's
	markAccount   func(context.Context, pgx.Tx, string) error // in the CRM
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	logger := slog.New(slog.NewJSONHandler(os.Stderr, nil))
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", cmp.Or(os.Getenv("HTTP_ADDR"), "127.0.0.1:8080"))
	if err == nil {
		err = run(ctx, os.Getenv, listener, logger)
	}
	if err != nil {
		logger.Error("Failed", "err", err)
		os.Exit(1)
	}
}

// run is the application, from its start to its end with ctx.
func run(ctx context.Context, getenv func(string) string, listener net.Listener, logger *slog.Logger) error {
	pool, pooled, err := open(ctx, getenv("DATABASE_URL"))
	if err != nil {
		return err
	}
	defer pool.Close()
	if err := migrate(ctx, pool, logger); err != nil {
		return err
	}
	a := &application{pool: pool, staffPassword: getenv("STAFF_PASSWORD")}
	settings := &river.Config{
		Logger: logger, Workers: river.NewWorkers(),
		SoftStopTimeout: 8 * time.Second, // what a delivery may take
		PollOnly:        pooled,          // in a pooler's sessions nobody can LISTEN
		Queues:          map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: 10}},
	}
	river.AddWorker(settings.Workers, &mailWorker{logger: logger})

	// claimsync: a worker and its queues, on the application's pool and River client.
	crm := newCRM(pool, getenv("CRM_URL"), getenv("CRM_KEY"))
	clerkClient, err := clerk.New(clerk.Config{SecretKey: getenv("CLERK_SECRET_KEY"), BaseURL: getenv("CLERK_API_URL")})
	if err != nil {
		return err
	}
	claims, err := claimsync.New(claimsync.Config{
		Pool: pool, Clerk: clerkClient, RiverSchema: "public", Stopping: ctx, Logger: logger,
		Destinations: map[string]claimsync.Destination{crmTopic: {Destination: crm, Budget: crmBudget, FollowsClaims: true}},
	})
	if err != nil {
		return err
	}
	if err := claims.Register(settings); err != nil {
		return err
	}
	// end

	if a.river, err = river.NewClient(riverpgxv5.New(pool), settings); err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /projects", a.postProject)

	// claimsync: the store for the application's transactions; API, console and River UI for its staff.
	waker := jobs.NewWaker(a.river)
	a.scores, a.markAccount = claims.Store(waker), markAccount(claims.Outbox(), waker)
	pages, err := web.NewHandler(web.Config{
		Pool: pool, Store: a.scores, Sync: claims, River: a.river, Prefix: "/internal/claimsync", Authorize: a.staff, Logger: logger,
	})
	if err != nil {
		return err
	}
	mux.Handle("/internal/claimsync/", pages)
	// end

	background, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel()
	// claimsync: what runs beside River, in every process that delivers.
	if err := pages.Start(background); err != nil {
		return err
	}
	running.Go(func() { claims.Run(background, waker) })
	// end
	if err := a.river.Start(background); err != nil {
		return err
	}

	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	select {
	case <-ctx.Done():
	case err = <-served:
	}
	return errors.Join(err,
		within(background, 10*time.Second, server.Shutdown), within(background, 10*time.Second, a.river.Stop))
}

// within stops something by a deadline of its own: a request that hangs takes nothing from the jobs.
func within(ctx context.Context, limit time.Duration, stop func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return stop(ctx)
}
