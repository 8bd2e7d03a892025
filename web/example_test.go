package web_test

import (
	"context"
	"fmt"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"github.com/claimsync/claimsync"
	"github.com/claimsync/claimsync/db"
	"github.com/claimsync/claimsync/db/dbtest"
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

// In an application: below a prefix of its mux, behind its own authentication, and without River UI, in which its own jobs
// would be too. An API that only writes needs no more; with deliveries, see the example of claimsync.New.
func ExampleNewHandler_embedded() {
	dbtest.Example(func(ctx context.Context, pool *pgxpool.Pool) {
		quiet := slog.New(slog.DiscardHandler)
		client, err := river.NewClient(riverpgxv5.New(pool), jobs.InsertConfig(db.DefaultRiverSchema, quiet))
		must(err)
		claims, err := claimsync.New(claimsync.Config{Pool: pool})
		must(err)
		staff := func(r *http.Request) (operator string, ok bool) { // by a session's cookie, say
			operator = r.Header.Get("X-Staff")
			return operator, operator != ""
		}
		pages, err := web.NewHandler(web.Config{
			Pool: pool, Store: claims.Store(jobs.NewWaker(client)), Sync: claims, River: client,
			Prefix: "/internal/claimsync", Authorize: staff, NoRiverUI: true,
		})
		must(err)
		mux := http.NewServeMux()
		mux.Handle("/internal/claimsync/", pages)
		must(pages.Start(ctx))

		for _, staff := range []string{"ada", ""} {
			request := httptest.NewRequestWithContext(ctx, "POST", "/internal/claimsync/v1/organizations",
				strings.NewReader(`{"id": "acme", "name": "Acme Roofing"}`))
			request.Header.Set("X-Staff", staff)
			answer := httptest.NewRecorder()
			mux.ServeHTTP(answer, request)
			fmt.Println(answer.Code, answer.Header().Get("Location"))
		}
	})
	// Output:
	// 201 /internal/claimsync/v1/organizations/acme
	// 401
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
