package web

import (
	"context"
	"net/http"
	"time"
)

// readyTimeout is how long the database may take to answer a probe, whose own deadline is often a few seconds.
const readyTimeout = 2 * time.Second

type health struct {
	Status  string   `json:"status"`
	Reasons []string `json:"reasons,omitempty"`
}

// livez says that the process serves requests. A database that is away is no reason to restart it.
func (s *server) livez(w http.ResponseWriter, _ *http.Request) {
	_ = answer(w, http.StatusOK, health{Status: "alive"})
}

// readyz says whether requests can succeed now. It remembers nothing, so it recovers with the database. The reasons are
// for everybody: they name no host and no error.
func (s *server) readyz(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), readyTimeout)
	defer cancel()
	if err := s.config.Pool.Ping(ctx); err != nil {
		s.config.Logger.DebugContext(ctx, "Not ready", "err", err)
		w.Header().Set("Retry-After", retryAfter)
		_ = answer(w, http.StatusServiceUnavailable, health{"unavailable", []string{"the database does not answer"}})
		return
	}
	_ = answer(w, http.StatusOK, health{Status: "ready"})
}
