package web

import (
	"context"
	"net/http"
	"time"

	"github.com/claimsync/claimsync/outbox"
	"github.com/claimsync/claimsync/scoring"
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

// readyz says whether requests can succeed now. It remembers nothing, so it recovers with the database. While the breaker
// is open it is degraded, and still answers 200: changes are accepted and wait, so a failure of Clerk is no reason to take
// the service out. The reasons are for everybody: they name no host and no error.
func (s *server) readyz(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), readyTimeout)
	defer cancel()
	standing, err := s.config.Outbox.Standing(ctx, s.config.Pool, s.config.Topic)
	switch {
	case err != nil:
		s.config.Logger.DebugContext(ctx, "Not ready", "err", err)
		w.Header().Set("Retry-After", retryAfter)
		_ = answer(w, http.StatusServiceUnavailable, health{"unavailable", []string{unreadyInWords(err)}})
	case standing.Breaker != nil:
		_ = answer(w, http.StatusOK, health{"degraded", []string{degradedInWords(standing.Breaker)}})
	default:
		_ = answer(w, http.StatusOK, health{Status: "ready"})
	}
}

// unreadyInWords tells a database that is away from one that refuses us: it may not be migrated.
func unreadyInWords(err error) string {
	if unavailable(err) {
		return "the database does not answer"
	}
	return "the database refuses us: has it been migrated?"
}

// degradedInWords leaves out the breaker's own reason, which has Clerk's or a person's words.
func degradedInWords(b *outbox.Breaker) string {
	since := scoring.Timestamp(b.Since.Truncate(time.Second)).String()
	switch b.Cause {
	case outbox.CauseOutage:
		return "Clerk fails or does not answer (outage) since " + since + ": changes wait until it recovers"
	case outbox.CauseConfiguration:
		return "Clerk refuses us (configuration) since " + since +
			": check CLERK_SECRET_KEY and CLERK_API_URL; changes wait until that is mended"
	default:
		return "a person opened the breaker (operator) at " + since + ": changes wait until app breaker close"
	}
}
