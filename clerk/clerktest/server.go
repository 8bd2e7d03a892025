package clerktest

import (
	"context"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Server is an emulated Clerk instance. It is an http.Handler, and safe for concurrent use.
type Server struct {
	config  Config
	signing signingKeys
	ending  context.Context // ends with Close: nothing waits any longer
	end     context.CancelFunc
	running sync.WaitGroup
	listening

	mu            sync.Mutex // guards what follows
	closed        bool
	changed       chan struct{} // closed and replaced at every change, for WaitFor
	organizations map[string]Organization
	created       int64 // how many organizations ever were
	revisions     history[revision]
	staleness     time.Duration // of the claims in session tokens
	switchedOff   bool          // the instance has organizations, as a feature, not enabled
	random        *rand.Rand

	faults []scheduled
	alarms []*time.Timer // ring when a fault begins or ends

	secretKey         string
	instanceLimit     Limit
	organizationLimit Limit
	instance          window
	perOrg            map[string]*window
	traffic           competing

	requestSeq int64
	writeSeq   int64
	requests   history[*Request]
	writes     history[Write]
	flights    flights

	webhooks   *webhooks // nil for none
	deliveries history[Delivery]
}

// New returns an emulator without a listener, to be mounted in a server of the caller's. Close it in the end.
func New(config Config) *Server {
	config = config.withDefaults()
	ending, end := context.WithCancel(context.Background())
	return &Server{
		config:            config,
		ending:            ending,
		end:               end,
		changed:           make(chan struct{}),
		organizations:     map[string]Organization{},
		revisions:         history[revision]{limit: config.HistoryLimit},
		random:            rand.New(rand.NewPCG(config.Seed, config.Seed)),
		secretKey:         config.SecretKey,
		instanceLimit:     config.InstanceLimit,
		organizationLimit: config.OrganizationLimit,
		perOrg:            map[string]*window{},
		requests:          history[*Request]{limit: config.HistoryLimit},
		writes:            history[Write]{limit: config.HistoryLimit},
		flights:           newFlights(),
		deliveries:        history[Delivery]{limit: config.HistoryLimit},
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
	if err := s.unavailable(c); err != nil {
		return c.failed(err)
	}
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
