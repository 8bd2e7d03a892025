package pgproxy

import (
	"net"
	"sync"
)

// gate holds up all traffic while it is shut. The zero value is open.
type gate struct {
	mu   sync.Mutex
	shut chan struct{} // closed when it opens again; nil while open
}

func (g *gate) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.shut == nil {
		g.shut = make(chan struct{})
	}
}

func (g *gate) open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.shut != nil {
		close(g.shut)
		g.shut = nil
	}
}

// wait returns once the gate is open, or with errSevered when the connection ended.
func (g *gate) wait(ended <-chan struct{}) error {
	for {
		g.mu.Lock()
		shut := g.shut
		g.mu.Unlock()
		if shut == nil {
			return nil
		}
		select {
		case <-shut:
		case <-ended:
			return errSevered
		}
	}
}

// gated is a socket behind the gate. Reads are stopped after the fact, so that neither bytes nor the end of a stream
// that arrive while the gate is shut are seen; writes before.
type gated struct {
	net.Conn
	gate  *gate
	ended <-chan struct{}
}

func (s gated) Read(b []byte) (int, error) {
	n, err := s.Conn.Read(b)
	if err := s.gate.wait(s.ended); err != nil {
		return 0, err
	}
	return n, err
}

func (s gated) Write(b []byte) (int, error) {
	if err := s.gate.wait(s.ended); err != nil {
		return 0, err
	}
	return s.Conn.Write(b)
}

// closeWrite tells the other end that nothing more comes.
func (s gated) closeWrite() error {
	if err := s.gate.wait(s.ended); err != nil {
		return err
	}
	return s.Conn.(interface{ CloseWrite() error }).CloseWrite() // TCP and Unix sockets have it
}
