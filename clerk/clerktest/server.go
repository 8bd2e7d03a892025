package clerktest

import (
	"crypto/rsa"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
)

// Server is an emulated Clerk instance. It is an http.Handler, and safe for concurrent use.
type Server struct {
	config  Config
	signing func() *rsa.PrivateKey
	stop    chan struct{} // closed by Close: nothing waits any longer
	running sync.WaitGroup
	listening

	mu            sync.Mutex // guards what follows
	closed        bool
	changed       chan struct{} // closed and replaced at every change, for WaitFor
	organizations map[string]Organization
	created       int64 // how many organizations ever were
	faults        []Fault
	random        *rand.Rand
	instance      window
	perOrg        map[string]*window
	requestSeq    int64
	writeSeq      int64
	requests      history[*Request]
	writes        history[Write]
	flights       flights
}

// New returns an emulator without a listener, to be mounted in a server of the caller's. Close it in the end.
func New(config Config) *Server {
	config = config.withDefaults()
	return &Server{
		config:        config,
		signing:       sync.OnceValue(newSigningKey),
		stop:          make(chan struct{}),
		changed:       make(chan struct{}),
		organizations: map[string]Organization{},
		random:        rand.New(rand.NewPCG(config.Seed, config.Seed)),
		perOrg:        map[string]*window{},
		requests:      history[*Request]{limit: config.HistoryLimit},
		writes:        history[Write]{limit: config.HistoryLimit},
		flights:       newFlights(),
	}
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !s.enter() {
		panic(http.ErrAbortHandler)
	}
	defer s.running.Done()

	if strings.HasPrefix(r.URL.Path, controlPrefix) {
		s.serveControl(w, r)
		return
	}
	c, err := s.begin(r)
	if err != nil {
		panic(http.ErrAbortHandler) // the client broke off while sending
	}
	defer s.finish(c)
	fault, refused := s.admit(c)
	if refused != nil {
		s.send(w, c, c.failed(refused))
		return
	}
	s.perform(w, c, fault)
}

// enter counts one more goroutine for Close to wait for, unless the server is closed.
func (s *Server) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.running.Add(1)
	return true
}

// handle runs the endpoint. Under one lock, so that a write and its place in the history are one.
func (s *Server) handle(c *call) answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	result, err := c.endpoint(s, c)
	if err != nil {
		return c.failed(err)
	}
	return jsonAnswer(http.StatusOK, result)
}

// notify wakes WaitFor. The caller holds the lock.
func (s *Server) notify() {
	close(s.changed)
	s.changed = make(chan struct{})
}
