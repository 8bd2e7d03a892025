package clerktest

import (
	"cmp"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"
)

// answer is what is sent back.
type answer struct {
	status int
	header map[string]string
	body   []byte
}

func jsonAnswer(status int, value any) answer {
	body, err := json.Marshal(value)
	if err != nil {
		panic(err) // our own types
	}
	return answer{status: status, header: map[string]string{"Content-Type": "application/json"}, body: body}
}

// errorsJSON is the body of every error of Clerk's.
type errorsJSON struct {
	Errors  []errorJSON `json:"errors"`
	TraceID string      `json:"clerk_trace_id"`
}

type errorJSON struct {
	Message     string         `json:"message"`
	LongMessage string         `json:"long_message"`
	Code        string         `json:"code"`
	Meta        map[string]any `json:"meta,omitempty"`
}

// failed is the answer to a refused request.
func (c *call) failed(err error) answer {
	var r *refusal
	if !errors.As(err, &r) {
		r = &refusal{status: http.StatusInternalServerError, code: "internal_clerk_error", message: err.Error()}
	}
	item := errorJSON{Message: r.message, LongMessage: cmp.Or(r.long, r.message), Code: r.code}
	if r.param != "" {
		item.Meta = map[string]any{"param_name": r.param}
	}
	a := jsonAnswer(r.status, errorsJSON{Errors: []errorJSON{item}, TraceID: c.traceID})
	if r.retryAfter > 0 {
		a.header["Retry-After"] = seconds(r.retryAfter)
	}
	return a
}

// send writes the answer and notes it.
func (s *Server) send(w http.ResponseWriter, c *call, a answer) {
	s.leave(c, false)
	s.ended(c, a.status)
	writeHeader(w, c, a)
	_, _ = w.Write(a.body) // the client may be gone
}

// sendHalf breaks the connection in the middle of the answer's body.
func (s *Server) sendHalf(w http.ResponseWriter, c *call, a answer) {
	s.leave(c, false)
	s.ended(c, a.status)
	writeHeader(w, c, a)
	_, _ = w.Write(a.body[:len(a.body)/2])
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}

func writeHeader(w http.ResponseWriter, c *call, a answer) {
	for name, value := range a.header {
		w.Header().Set(name, value)
	}
	w.Header().Set("Clerk-Trace-Id", c.traceID)
	if a.status != http.StatusNotModified {
		w.Header().Set("Content-Length", strconv.Itoa(len(a.body)))
	}
	w.WriteHeader(a.status)
}

// ended notes the end of the request's part in the history. That is before the answer goes out: the client may see it
// sooner than we would notice that it has.
func (s *Server) ended(c *call, status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.entry.Status, c.entry.Finished = status, time.Now()
	s.notify()
}
