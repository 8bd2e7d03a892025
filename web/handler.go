package web

import (
	"context"
	"log/slog"
	"net/http"
	"strings"

	"golang.org/x/sync/singleflight"
	"riverqueue.com/riverui"
)

// Handler answers all requests. It is safe for concurrent use.
type Handler struct {
	front   *front
	riverUI *riverui.Handler // nil: none
}

// NewHandler returns the handler of all routes. The error is an incomplete configuration.
func NewHandler(config Config) (*Handler, error) {
	config, err := config.withDefaults()
	if err != nil {
		return nil, err
	}
	s := &server{config: config}
	if config.River != nil {
		if err := s.addPages(); err != nil {
			return nil, err
		}
	}
	return &Handler{front: &front{mux: s.routes(), logger: config.Logger}, riverUI: s.riverUI}, nil
}

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) { h.front.ServeHTTP(w, r) }

// Start starts what keeps River UI's counts fresh, until ctx is done. Without it there is nothing to start.
func (h *Handler) Start(ctx context.Context) error {
	if h.riverUI == nil {
		return nil
	}
	return h.riverUI.Start(ctx)
}

// server holds what the endpoints share.
type server struct {
	config    Config
	readiness singleflight.Group
	console   http.Handler     // nil: none
	riverUI   *riverui.Handler // the same
}

// routes are all below the prefix.
func (s *server) routes() *http.ServeMux {
	routes := http.NewServeMux()
	mux := prefixed{routes, s.config.Prefix}
	guard := newGuard(s.config)

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

	mux.Handle("GET /livez", http.HandlerFunc(s.livez))
	mux.Handle("GET /readyz", http.HandlerFunc(s.readyz))
	if s.config.Metrics != nil {
		mux.Handle("GET /metrics", s.config.Metrics)
	}
	if s.config.Webhook != nil {
		mux.Handle("POST /webhooks/clerk", s.handle(s.receiveWebhook))
	}
	if s.config.River != nil {
		s.routePages(mux, guard)
	}
	return routes
}

// prefixed is a mux whose patterns are below a prefix.
type prefixed struct {
	mux    *http.ServeMux
	prefix string
}

// Handle is http.ServeMux's.
func (p prefixed) Handle(pattern string, handler http.Handler) {
	method, path, found := strings.Cut(pattern, " ")
	if !found {
		method, path = "", pattern
	}
	p.mux.Handle(strings.TrimSpace(method+" "+p.prefix+path), handler)
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
