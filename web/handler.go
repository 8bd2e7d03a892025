package web

import (
	"context"
	"log/slog"
	"net/http"

	"golang.org/x/sync/singleflight"

	"github.com/claimsync/claimsync/web/console"
)

// server holds what the endpoints share.
type server struct {
	config    Config
	readiness singleflight.Group
}

// NewHandler returns the handler of all routes. The error is an incomplete configuration.
func NewHandler(config Config) (http.Handler, error) {
	config, err := config.withDefaults()
	if err != nil {
		return nil, err
	}
	s := &server{config: config}
	return &front{mux: s.routes(), logger: config.Logger}, nil
}

func (s *server) routes() *http.ServeMux {
	mux := http.NewServeMux()
	guard := newGuard(s.config.AdminToken)

	v1 := func(pattern string, endpoint endpoint) {
		mux.Handle(pattern, guard.protect(challengeBearer, s.handle(endpoint)))
	}
	v1("GET /v1/organizations", s.listOrganizations)
	v1("POST /v1/organizations", s.createOrganization)
	v1("GET /v1/organizations/{id}", s.getOrganization)
	v1("PATCH /v1/organizations/{id}", s.updateOrganization)
	v1("DELETE /v1/organizations/{id}", s.deleteOrganization)
	v1("PUT /v1/organizations/{id}/facts", s.replaceFacts)
	v1("POST /v1/organizations/{id}/recalculate", s.recalculateOrganization)
	v1("POST /v1/organizations/{id}/sync", s.syncOrganization)

	mux.HandleFunc("GET /livez", s.livez)
	mux.HandleFunc("GET /readyz", s.readyz)
	if s.config.Metrics != nil {
		mux.Handle("GET /metrics", s.config.Metrics)
	}
	if s.config.Webhook != nil {
		mux.Handle("POST /webhooks/clerk", s.handle(s.receiveWebhook))
	}
	page := func(pattern string, handler http.Handler) {
		mux.Handle(pattern, guard.protect(challengeBasic, handler))
	}
	if s.config.RiverUI != nil {
		page("/riverui/", s.riverUI())
	}
	switch {
	case s.config.Console != nil:
		for _, pattern := range console.Patterns {
			page(pattern, s.config.Console)
		}
	case s.config.RiverUI != nil:
		page("GET /{$}", http.RedirectHandler("/riverui/", http.StatusFound))
	}
	return mux
}

// endpoint is a handler that leaves its failures to one place, see problemOf.
type endpoint func(http.ResponseWriter, *http.Request) error

// handle bounds the endpoint's time and answers for it if it fails.
func (s *server) handle(endpoint endpoint) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), s.config.RequestTimeout)
		defer cancel()
		if err := endpoint(w, r.WithContext(ctx)); err != nil {
			s.refuse(w, r, err)
		}
	})
}

// refuse answers with the problem, and logs what is not the client's doing.
func (s *server) refuse(w http.ResponseWriter, r *http.Request, err error) {
	p := problemOf(err)
	p.write(w)
	switch {
	case r.Context().Err() != nil: // the client has gone, and took the deadline along
	case p == errClerkUnavailable:
		s.log(r, slog.LevelWarn, "Clerk unavailable", err)
	case p.Status == http.StatusServiceUnavailable:
		s.log(r, slog.LevelWarn, "Database unavailable", err)
	case p.Status == http.StatusInternalServerError:
		s.log(r, slog.LevelError, "Request failed", err)
	}
}

func (s *server) log(r *http.Request, level slog.Level, message string, err error) {
	s.config.Logger.Log(r.Context(), level, message, "method", r.Method, "route", r.Pattern, "err", err)
}
