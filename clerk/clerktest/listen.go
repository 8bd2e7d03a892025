package clerktest

import (
	"io"
	"log"
	"net"
	"net/http"
	"time"
)

// listening is the part of a Server that Start fills in.
type listening struct {
	address string
	http    *http.Server
	served  chan struct{} // closed when the accept loop has ended
}

// Start returns an emulator that listens on Config.Addr. Close it in the end.
func Start(config Config) (*Server, error) {
	s := New(config)
	listener, err := net.Listen("tcp", s.config.Addr)
	if err != nil {
		return nil, err
	}
	s.listening = listening{
		address: listener.Addr().String(),
		http: &http.Server{
			Handler:           s,
			ReadHeaderTimeout: 10 * time.Second,
			ErrorLog:          log.New(io.Discard, "", 0), // broken connections are our trade
		},
		served: make(chan struct{}),
	}
	go func() {
		defer close(s.served)
		_ = s.http.Serve(listener) // always ends with ErrServerClosed
	}()
	return s, nil
}

// URL is where a started emulator listens, as http://host:port.
func (s *Server) URL() string { return "http://" + s.address }

// BaseURL is the API's, as Clerk's clients want it: URL with /v1.
func (s *Server) BaseURL() string { return s.URL() + "/v1" }

// Close ends the listener, all requests that are in flight, the competing traffic, the webhooks that are under way, and
// all late writes that have not landed. It returns when no goroutine of the emulator is left; the state can still be
// read then. It may be called more than once.
func (s *Server) Close() error {
	s.mu.Lock()
	s.closed = true
	s.stopAlarms()
	s.mu.Unlock()
	s.end()
	var err error
	if s.http != nil {
		err = s.http.Close()
		<-s.served
	}
	s.running.Wait()
	return err
}
