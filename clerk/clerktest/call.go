package clerktest

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"
)

// maxBody bounds a request's body, in bytes.
const maxBody = 1 << 20

// call is one request on its way through the emulator.
type call struct {
	request      *http.Request
	body         []byte
	tooLarge     bool
	route        string // as "PATCH organizations/{id}/metadata"
	organization string // the ID or slug in the path
	endpoint     endpoint
	traceID      string
	late         bool // applied after the client gave up

	entry      *Request
	flight     *flight
	stopGone   func() bool
	clientGone <-chan struct{}
}

// endpoint does what a request asks for and returns what is to be answered as JSON, or a *refusal. It runs under the
// server's lock.
type endpoint func(*Server, *call) (any, error)

var endpoints = map[string]endpoint{
	"GET organizations":                 (*Server).listOrganizations,
	"POST organizations":                (*Server).createOrganization,
	"GET organizations/{id}":            (*Server).getOrganization,
	"PATCH organizations/{id}":          (*Server).updateOrganization,
	"DELETE organizations/{id}":         (*Server).deleteOrganization,
	"PATCH organizations/{id}/metadata": (*Server).mergeMetadata,
	"PUT organizations/{id}/metadata":   (*Server).replaceMetadata,
	"GET instance":                      (*Server).getInstance,
	routeJWKS:                           (*Server).jwks,
}

const routeJWKS = "GET jwks"

// limitedPerOrganization are the routes with the narrow rate limit.
var limitedPerOrganization = map[string]bool{
	"PATCH organizations/{id}":          true,
	"PATCH organizations/{id}/metadata": true,
	"PUT organizations/{id}/metadata":   true,
}

// newCall reads the request and finds its endpoint. Its error is the client's breaking off.
func newCall(r *http.Request) (*call, error) {
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, maxBody))
	tooLarge := errors.As(err, new(*http.MaxBytesError))
	if err != nil && !tooLarge {
		return nil, err
	}
	c := &call{request: r, body: body, tooLarge: tooLarge, traceID: randomHex(16), clientGone: r.Context().Done()}
	c.route, c.organization = route(r.Method, r.URL.Path)
	c.endpoint = endpoints[c.route]
	if c.endpoint == nil {
		c.endpoint = (*Server).noEndpoint
	}
	return c, nil
}

func route(method, path string) (route, organization string) {
	parts := strings.Split(strings.TrimPrefix(path, "/v1/"), "/")
	if len(parts) > 1 && parts[0] == "organizations" {
		organization, parts[1] = parts[1], "{id}"
	}
	if !strings.HasPrefix(path, "/v1/") {
		return "", organization
	}
	return method + " " + strings.Join(parts, "/"), organization
}

func (s *Server) noEndpoint(*call) (any, error) { return nil, errNoEndpoint }

func randomHex(bytes int) string {
	random := make([]byte, bytes)
	_, _ = rand.Read(random) // never fails
	return hex.EncodeToString(random)
}

// begin enters the request into the history.
func (s *Server) begin(r *http.Request) (*call, error) {
	c, err := newCall(r)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requestSeq++
	c.entry = &Request{
		Seq: s.requestSeq, Started: time.Now(), Method: r.Method, Path: r.URL.Path,
		Organization: c.organization, BodyBytes: len(c.body),
	}
	s.requests.add(c.entry)
	if limitedPerOrganization[c.route] {
		c.flight = s.flights.enter(c.organization, c.entry.Started)
		c.stopGone = context.AfterFunc(r.Context(), func() { s.leave(c, true) })
	}
	s.notify()
	return c, nil
}

// leave ends the request's being in flight. That is before the answer goes out, since the client may use the answer
// sooner than we would notice that it has it.
func (s *Server) leave(c *call, clientGone bool) {
	if c.flight == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.flights.leave(c.flight, time.Now(), clientGone)
	s.notify()
}

// finish closes the request's entry in the history, if it ends without an answer.
func (s *Server) finish(c *call) {
	if c.stopGone != nil && c.stopGone() {
		s.leave(c, false)
	}
	if c.entry.Finished.IsZero() { // only this goroutine sets it
		s.ended(c, 0)
	}
}
