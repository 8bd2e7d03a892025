package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"github.com/claimsync/claimsync"
	"github.com/claimsync/claimsync/clerk"
	"github.com/claimsync/claimsync/jobs"
	"github.com/claimsync/claimsync/metrics"
	"github.com/claimsync/claimsync/scoring"
	"github.com/claimsync/claimsync/web"
)

const (
	// requestGrace is how long a graceful stop lets requests under way go on: as long as one of the API may take. What fans
	// out may take longer; it is then cut short, and says how far it came.
	requestGrace = 5 * time.Second
	// requestTimeout bounds how long it waits for them in all.
	requestTimeout = 10 * time.Second
)

// monolithConfig is what a monolith runs on.
type monolithConfig struct {
	pool        *pgxpool.Pool // migrated
	pooled      bool          // behind a pooler: nobody can LISTEN
	clerk       *clerk.Client
	rate        rateFlags
	drift       driftFlags
	renew       renewFlags
	keep        retentionFlags
	riverSchema string
	maxWorkers  int
	addr        string
	adminToken  string
	webhook     *clerk.Webhook // nil: Clerk's events are not taken
	linkKey     string
	metrics     *metrics.Metrics // Clerk's calls are counted there already
	logger      *slog.Logger
	tracing     *tracing // nil: none
}

// monolith is API, workers, maintainer and River UI in one process.
type monolith struct {
	sync     *claimsync.Sync
	store    *scoring.Store
	url      string
	logger   *slog.Logger
	server   *http.Server
	river    *river.Client[pgx.Tx]
	stopping context.CancelFunc // tells that stop has begun

	endRequests context.CancelFunc
	cancel      context.CancelFunc // of what runs beside the server and River
	running     sync.WaitGroup
	serveErr    chan error
}

// startMonolith starts everything. The caller stops it.
func startMonolith(ctx context.Context, config monolithConfig) (*monolith, error) {
	config.metrics.WatchPool(config.pool)
	m := &monolith{logger: config.logger, serveErr: make(chan error, 1)}
	var stopping context.Context
	stopping, m.stopping = context.WithCancel(context.Background())
	var err error
	if m.sync, err = newSync(config, stopping); err != nil {
		return nil, err
	}
	config.metrics.WatchOutbox(config.pool, m.sync.Outbox(), claimsync.Topic)
	config.metrics.WatchScores(config.pool)
	config.metrics.WatchDrift(config.pool, claimsync.Topic, m.sync.DriftEvery())
	config.metrics.WatchFleet(m.sync)

	jobsConfig := m.sync.Jobs()
	jobsConfig.PollOnly = config.pooled
	riverConfig, err := jobs.RiverConfig(jobsConfig, config.riverSchema)
	if err != nil {
		return nil, err
	}
	if m.river, err = river.NewClient(riverpgxv5.New(config.pool), riverConfig); err != nil {
		return nil, err
	}
	waker := jobs.NewWaker(m.river)
	m.store = m.sync.Store(waker)
	handler, err := m.newHandler(config, waker)
	if err != nil {
		return nil, err
	}

	// From here on things run: they are stopped by stop, and not by the signal that ends ctx.
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", config.addr)
	if err != nil {
		return nil, err
	}
	m.url = "http://" + listener.Addr().String()
	background, cancel := context.WithCancel(context.WithoutCancel(ctx))
	m.cancel = cancel
	if err := m.river.Start(context.WithoutCancel(ctx)); err != nil {
		cancel()
		return nil, errors.Join(fmt.Errorf("starting River: %w", err), listener.Close())
	}
	if err := handler.Start(background); err != nil {
		cancel()
		return nil, errors.Join(fmt.Errorf("starting River UI: %w", err), listener.Close(), m.river.Stop(context.WithoutCancel(ctx)))
	}
	m.running.Go(func() { m.sync.Run(background, waker) })
	m.serve(listener, config.tracing.traceRequests(handler, web.Admitted(config.adminToken)))
	return m, nil
}

func newSync(config monolithConfig, stopping context.Context) (*claimsync.Sync, error) {
	return claimsync.New(claimsync.Config{
		Pool: config.pool, Clerk: config.clerk, RiverSchema: config.riverSchema, MaxWorkers: config.maxWorkers,
		RateLimit: config.rate.RateLimit, RateShare: config.rate.RateShare,
		OrganizationRateLimit: config.rate.OrganizationRateLimit,
		LinkKey:               config.linkKey,
		DriftEvery:            time.Duration(config.drift.DriftEvery),
		DriftReportOnly:       config.drift.NoDriftRepair,
		RenewEvery:            time.Duration(config.renew.RenewEvery),
		DeliveryRetention:     time.Duration(config.keep.DeliveryRetention),
		OperatorLogRetention:  time.Duration(config.keep.OperatorLogRetention),
		Stopping:              stopping,
		Logger:                config.logger, Observer: config.metrics,
		TracerProvider: config.tracing.tracerProvider(),
	})
}

// newHandler returns the handler of all requests: API, console, River UI.
func (m *monolith) newHandler(config monolithConfig, waker jobs.Waker) (*web.Handler, error) {
	webConfig := web.Config{
		Pool: config.pool, Store: m.store, Sync: m.sync, AdminToken: config.adminToken, River: m.river,
		Metrics: config.metrics.Handler(), Logger: config.logger,
	}
	if config.webhook != nil {
		webConfig.Webhook = m.sync.Webhook(config.webhook, waker)
	}
	return web.NewHandler(webConfig)
}

func (m *monolith) serve(listener net.Listener, handler http.Handler) {
	requests, end := context.WithCancel(context.Background())
	m.endRequests = end
	m.server = newServer(requests, handler, m.logger)
	m.running.Go(func() {
		if err := m.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			m.serveErr <- err
		}
	})
}

// wait returns when ctx is done, or with the error that ended the server.
func (m *monolith) wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case err := <-m.serveErr:
		return err
	}
}

// stop stops gracefully: no new requests and jobs, what is under way finishes or is given back. It takes as long as a
// request or a push may take.
func (m *monolith) stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), requestTimeout)
	defer cancel()
	m.stopping()
	closed := make(chan error, 1)
	go func() { closed <- m.server.Shutdown(ctx) }()
	cutShort := time.AfterFunc(requestGrace, m.endRequests)
	defer cutShort.Stop()
	// River bounds its own stop: jobs.Config.SoftStopTimeout.
	riverErr := m.river.Stop(context.Background())
	if errors.Is(riverErr, context.Canceled) { // jobs were cancelled, and given back
		riverErr = nil
	}
	m.cancel()
	serverErr := <-closed
	m.endRequests()
	m.running.Wait()
	return errors.Join(serverErr, riverErr)
}
