package web

import (
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"
)

// front is the outermost handler: what holds for every request, known or not.
type front struct {
	mux    *http.ServeMux
	logger *slog.Logger
}

func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	started := time.Now()
	matched, pattern := f.mux.Handler(r)
	response := &response{ResponseWriter: w}
	// Neither the path nor the query nor a header: they may hold what does not belong into a log.
	defer func() {
		f.logger.DebugContext(r.Context(), "Request", "method", r.Method, "route", pattern, "status", response.status,
			"duration", time.Since(started))
	}()
	defer f.recover(response, r, pattern)

	setPolicy(w.Header())
	if pattern == "" {
		refuseUnmatched(response, r, matched)
		return
	}
	f.mux.ServeHTTP(response, r)
}

// recover answers for a handler that panicked. Its transaction was rolled back while the panic passed by.
func (f *front) recover(w *response, r *http.Request, pattern string) {
	cause := recover()
	if cause == nil {
		return
	}
	if cause == http.ErrAbortHandler {
		panic(cause)
	}
	f.logger.ErrorContext(r.Context(), "Request panicked", "method", r.Method, "route", pattern, "err", cause,
		"stack", string(debug.Stack()))
	if w.status != 0 {
		panic(http.ErrAbortHandler) // half an answer is out: cut the connection, so that it is not taken for whole
	}
	newProblem(http.StatusInternalServerError, internalDetail).write(w)
}

// refuseUnmatched says in our words what the mux would say in plain text: 404, or 405 with the methods there are.
func refuseUnmatched(w http.ResponseWriter, r *http.Request, muxAnswer http.Handler) {
	said := &discarded{header: make(http.Header)}
	muxAnswer.ServeHTTP(said, r)
	if said.status == http.StatusMethodNotAllowed {
		w.Header().Set("Allow", said.header.Get("Allow"))
		newProblem(said.status, "").write(w)
		return
	}
	newProblem(http.StatusNotFound, "There is no such route.").write(w)
}

// setPolicy sets what suits an API, on whatever is answered; a handler for browsers loosens it. That answers come by TLS only
// (Strict-Transport-Security) is for whoever terminates it to say.
func setPolicy(header http.Header) {
	header.Set("Cache-Control", "no-store")
	header.Set("Content-Security-Policy", "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	header.Set("Cross-Origin-Opener-Policy", "same-origin")
	header.Set("Cross-Origin-Resource-Policy", "same-origin")
	header.Set("Permissions-Policy", "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("X-Frame-Options", "DENY") // for browsers that do not know frame-ancestors
}

// response remembers the status that was sent; 0: none yet.
type response struct {
	http.ResponseWriter
	status int
}

func (w *response) WriteHeader(status int) {
	if w.status == 0 && status >= http.StatusOK { // 1xx is not the answer yet
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *response) Write(data []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(data)
}

// Unwrap is for http.ResponseController.
func (w *response) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// discarded is a response that is looked at and not sent.
type discarded struct {
	header http.Header
	status int
}

func (w *discarded) Header() http.Header            { return w.header }
func (w *discarded) Write(data []byte) (int, error) { return len(data), nil }
func (w *discarded) WriteHeader(status int)         { w.status = status }
