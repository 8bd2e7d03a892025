package web_test

import (
	"context"
	"log"
	"log/slog"
	"net/http"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"github.com/claimsync/claimsync"
	"github.com/claimsync/claimsync/db"
	"github.com/claimsync/claimsync/jobs"
	"github.com/claimsync/claimsync/metrics"
	"github.com/claimsync/claimsync/web"
)

// The API in front of a database. Another process delivers: this one has no Clerk client and only inserts jobs.
func ExampleNewHandler() {
	ctx := context.Background()
	pool, err := db.Open(ctx, "postgres://localhost/claimsync")
	if err != nil {
		log.Fatal(err)
	}
	client, err := river.NewClient(riverpgxv5.New(pool), &river.Config{Schema: db.DefaultRiverSchema})
	if err != nil {
		log.Fatal(err)
	}
	gauges := metrics.New()
	sync, err := claimsync.New(claimsync.Config{Pool: pool, Observer: gauges})
	if err != nil {
		log.Fatal(err)
	}
	gauges.WatchPool(pool)
	gauges.WatchOutbox(pool, sync.Outbox(), claimsync.Topic)

	handler, err := web.NewHandler(web.Config{
		Pool:       pool,
		Store:      sync.Store(jobs.NewWaker(client)),
		Sync:       sync,
		AdminToken: "from a secret store",
		River:      client, // for the console and River UI
		Metrics:    gauges.Handler(),
		Logger:     slog.Default(),
	})
	if err != nil {
		log.Fatal(err)
	}
	if err := handler.Start(ctx); err != nil {
		log.Fatal(err)
	}
	server := &http.Server{Addr: "127.0.0.1:8080", Handler: handler, ReadTimeout: 10 * time.Second}
	log.Fatal(server.ListenAndServe())
}
