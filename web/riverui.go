package web

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"riverqueue.com/riverui"
)

// NewRiverUI returns River UI for [Config.RiverUI]. The caller starts it; it stops when the context given to Start ends.
// It has no authentication of its own, so it belongs behind [NewHandler]. Its list hides the jobs' arguments until they
// are asked for: ours are ids, but the client may also run jobs of the application, whose arguments are not ours to show.
func NewRiverUI(client *river.Client[pgx.Tx], logger *slog.Logger) (*riverui.Handler, error) {
	handler, err := riverui.NewHandler(&riverui.HandlerOpts{
		Endpoints:                riverui.NewEndpoints(client, nil),
		JobListHideArgsByDefault: true,
		Logger:                   logger,
		Prefix:                   "/riverui",
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

// riverUI is River UI within the limits that the API has, and with the operator log. It would read a body of any length, and
// query for as long as that takes.
func (s *server) riverUI() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
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
			s.config.RiverUI.ServeHTTP(w, r)
		default:
			s.logged(w, r, body)
		}
	})
}
