package web

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"

	"riverqueue.com/riverui"

	"github.com/claimsync/claimsync/jobs"
)

// riverUIPath is where River UI is, below the prefix.
const riverUIPath = "/riverui"

// newRiverUI returns River UI. It has no authentication of its own, so it belongs behind the guard. Its list hides the jobs'
// arguments until they are asked for: ours are ids, but the client may also run jobs of the application, whose arguments are
// not ours to show.
func newRiverUI(config Config) (*riverui.Handler, error) {
	handler, err := riverui.NewHandler(&riverui.HandlerOpts{
		Endpoints:                riverui.NewEndpoints(config.River, nil),
		JobListHideArgsByDefault: true,
		Logger:                   jobs.RiverLogger(config.Logger),
		Prefix:                   config.Prefix + riverUIPath,
	})
	if err != nil {
		return nil, fmt.Errorf("making River UI: %w", err)
	}
	return handler, nil
}

// riverUIPolicy: scripts come from here only; styles are also set inline, by its React components. A browser's console
// reports one eval that was refused: a library of River UI tries whether it may, and does without.
const riverUIPolicy = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; object-src 'none'; " +
	"base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// serveRiverUI is River UI within the limits that the API has, and with the operator log. It would read a body of any length,
// and query for as long as that takes.
func (s *server) serveRiverUI(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Security-Policy", riverUIPolicy)
	body, err := readBody(w, r)
	if err != nil {
		problemOf(err).write(w)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), s.config.RequestTimeout)
	defer cancel()
	r = r.WithContext(ctx)
	r.Body = io.NopCloser(bytes.NewReader(body))
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
		s.riverUI.ServeHTTP(w, r)
	default:
		s.logged(w, r, body)
	}
}
