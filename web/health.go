package web

import (
	"context"
	"net/http"
	"time"

	"github.com/claimsync/claimsync"
	"github.com/claimsync/claimsync/db"
	"github.com/claimsync/claimsync/outbox"
	"github.com/claimsync/claimsync/scoring"
)

const (
	// readyTimeout is how long the database may take to answer a probe, whose own deadline is often a few seconds.
	readyTimeout = 2 * time.Second

	// toldToWait is how long Clerk may have everybody wait before it is worth mentioning: a change is then later than it
	// should ever be.
	toldToWait = time.Minute
)

// health is the answer to a probe. Causes has a word for programs for each of the reasons, which are for people: database,
// schema; outage, configuration, operator (the breaker's); retry_after, queue_paused.
type health struct {
	Status  string   `json:"status"`
	Reasons []string `json:"reasons,omitempty"`
	Causes  []string `json:"causes,omitempty"`
}

func (h *health) add(cause, reason string) {
	h.Causes, h.Reasons = append(h.Causes, cause), append(h.Reasons, reason)
}

// livez says that the process serves requests. A database that is away is no reason to restart it.
func (s *server) livez(w http.ResponseWriter, _ *http.Request) {
	_ = answer(w, http.StatusOK, health{Status: "alive"})
}

// readyz says whether requests can succeed now. It remembers nothing, so it recovers with the database. While nothing is
// pushed it is degraded, and still answers 200: changes are accepted and wait, so a failure of Clerk is no reason to take
// the service out. The reasons are for everybody: they name no host and no error.
//
// All who ask at once share one look: it takes a connection, and anybody may ask.
func (s *server) readyz(w http.ResponseWriter, r *http.Request) {
	looked, err, _ := s.readiness.Do("", func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), readyTimeout)
		defer cancel()
		return s.ready(ctx)
	})
	if err != nil {
		s.config.Logger.DebugContext(r.Context(), "Not ready", "err", err)
		w.Header().Set("Retry-After", retryAfter)
		_ = answer(w, http.StatusServiceUnavailable, unreadyBecauseOf(err))
		return
	}
	_ = answer(w, http.StatusOK, looked)
}

func (s *server) ready(ctx context.Context) (health, error) {
	degraded := health{Status: "degraded"}
	if err := s.addDegradations(ctx, &degraded); err != nil {
		return health{}, err
	}
	if len(degraded.Causes) == 0 {
		return health{Status: "ready"}, nil
	}
	return degraded, nil
}

// unreadyBecauseOf tells a database that is away from one that refuses us: it may not be migrated.
func unreadyBecauseOf(err error) health {
	h := health{Status: "unavailable"}
	if db.IsUnavailable(err) {
		h.add("database", "the database does not answer")
	} else {
		h.add("schema", "the database refuses us: has it been migrated?")
	}
	return h
}

// addDegradations adds what keeps changes from being pushed, in the order in which it is in the way.
func (s *server) addDegradations(ctx context.Context, h *health) error {
	standing, err := s.config.Sync.Outbox().Standing(ctx, s.config.Pool, claimsync.Topic)
	if err != nil {
		return err
	}
	now, err := s.config.Sync.Outbox().Clock(ctx, s.config.Pool)
	if err != nil {
		return err
	}
	pause, err := s.config.Sync.Outbox().QueuePause(ctx, s.config.Pool, claimsync.Topic)
	if err != nil {
		return err
	}
	if standing.Breaker != nil {
		h.add(string(standing.Breaker.Cause), breakerInWords(standing.Breaker))
	}
	if blocked := standing.Blocked; blocked != nil && blocked.Until.Sub(now) > toldToWait {
		h.add("retry_after", "Clerk told everybody to wait (Retry-After) until "+second(blocked.Until)+": changes wait")
	}
	if pause != nil && !pause.ByBreaker {
		h.add("queue_paused", "a person paused River's queue at "+second(pause.Since)+
			": changes wait until it is resumed, in River UI")
	}
	return nil
}

// breakerInWords leaves out the breaker's own reason, which has Clerk's or a person's words.
func breakerInWords(b *outbox.Breaker) string {
	switch b.Cause {
	case outbox.CauseOutage:
		return "Clerk fails or does not answer (outage) since " + second(b.Since) + ": changes wait until it recovers"
	case outbox.CauseConfiguration:
		return "Clerk refuses us (configuration) since " + second(b.Since) +
			": check CLERK_SECRET_KEY and CLERK_API_URL; changes wait until that is mended"
	default:
		return "a person opened the breaker (operator) at " + second(b.Since) + ": changes wait until app breaker close"
	}
}

// second is a time to the second: what comes after says nothing to a person.
func second(t time.Time) string { return scoring.Timestamp(t.Truncate(time.Second)).String() }
