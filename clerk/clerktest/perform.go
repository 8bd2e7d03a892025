package clerktest

import (
	"net"
	"net/http"
	"time"
)

// perform carries the request out, with what the fault makes of it.
func (s *Server) perform(w http.ResponseWriter, c *call, fault Fault) {
	if !s.sleep(fault.Latency) {
		panic(http.ErrAbortHandler)
	}
	switch fault.Effect {
	case None:
		s.send(w, c, s.handle(c))
	case Answer:
		if fault.Block {
			s.blockBy(c, fault)
		}
		s.send(w, c, c.usualAnswer(fault))
	case EmptyOK:
		s.send(w, c, answer{status: http.StatusOK})
	case NullOK:
		s.send(w, c, jsonAnswer(http.StatusOK, nil))
	case ErrorsOK:
		failed := c.failed(&refusal{code: "internal_clerk_error", message: "Something went wrong"})
		failed.status = http.StatusOK
		s.send(w, c, failed)
	case Hang:
		s.hang(c)
	case ResetBefore:
		s.reset(w, c)
	case ResetAfter:
		s.handle(c)
		s.reset(w, c)
	case Truncate:
		s.sendHalf(w, c, s.handle(c))
	case Late:
		s.handleLater(c, fault.Delay)
		s.hang(c)
	}
}

// usualAnswer is what Clerk, or a proxy before it, answers with the fault's status.
func (c *call) usualAnswer(fault Fault) answer {
	var a answer
	switch r := usual[fault.Status]; {
	case r != nil:
		a = c.failed(r)
	case fault.Status == http.StatusBadGateway:
		a = answer{header: map[string]string{"Content-Type": "text/html"},
			body: []byte("<html><head><title>502 Bad Gateway</title></head><body>502 Bad Gateway</body></html>")}
	case fault.Status >= 300 && fault.Status < 400:
		// To itself: a client that follows turns its PATCH into a GET, and finds the old organization.
		a = answer{header: map[string]string{"Location": c.request.URL.Path}}
	default:
		a = answer{header: map[string]string{}}
	}
	a.status = fault.Status
	if fault.Body != "" {
		a.body = []byte(fault.Body)
	}
	if fault.RetryAfter > 0 {
		a.header["Retry-After"] = seconds(fault.RetryAfter)
	}
	for name, value := range fault.Header {
		a.header[http.CanonicalHeaderKey(name)] = value
	}
	return a
}

var usual = map[int]*refusal{
	http.StatusBadRequest:            errBodyInvalid,
	http.StatusUnauthorized:          errKeyInvalid,
	http.StatusForbidden:             errOrganizationsOff,
	http.StatusNotFound:              errNotFound,
	http.StatusConflict:              {code: "resource_locked", message: "The resource is locked. Please try again."},
	http.StatusRequestEntityTooLarge: errBodyTooLarge,
	http.StatusUnprocessableEntity:   {code: "form_param_value_invalid", message: "is invalid"},
	http.StatusTooManyRequests:       tooManyRequests(0),
	http.StatusInternalServerError:   {code: "internal_clerk_error", message: "Oops, an unexpected error occurred."},
	http.StatusGatewayTimeout:        {code: "gateway_timeout", message: "Request timed out."},
}

// hang waits until the client gives up.
func (s *Server) hang(c *call) {
	select {
	case <-c.clientGone:
	case <-s.ending.Done():
	}
	panic(http.ErrAbortHandler)
}

// reset makes the client see a connection reset by its peer.
func (s *Server) reset(w http.ResponseWriter, c *call) {
	s.leave(c, false)
	s.ended(c, 0)
	connection, _, err := http.NewResponseController(w).Hijack()
	if err != nil { // HTTP/2: a reset stream is as good
		panic(http.ErrAbortHandler)
	}
	if tcp, ok := connection.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // a RST in place of a FIN
	}
	_ = connection.Close()
}

// handleLater applies the request after the delay, unless the server is closed first.
func (s *Server) handleLater(c *call, delay time.Duration) {
	late := *c
	late.late = true
	if !s.enter() {
		return
	}
	go func() {
		defer s.running.Done()
		if s.sleep(delay) {
			s.handle(&late)
		}
	}()
}

// sleep returns false if the server is closed meanwhile.
func (s *Server) sleep(d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-s.ending.Done():
		return false
	}
}
