package pgproxy

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"sync"
)

// Kinds of messages from the server that matter here.
const (
	kindCopyBothResponse = 'W'
	kindCopyInResponse   = 'G'
	kindNotification     = 'A'
	kindReadyForQuery    = 'Z'
)

// maxHeld bounds the answer that one connection may hold back.
const maxHeld = 64 << 20

// answers is the direction from the server to the client.
type answers struct {
	conn    *conn
	stream  *stream
	segment int          // as in requests: the one that is being answered
	held    bytes.Buffer // what of it is held back
}

// run forwards until an error, io.EOF if the server is done. What is held then still goes out, as the server's reason
// for ending the connection may be in it.
func (a *answers) run() error {
	for {
		m, err := a.stream.next()
		if err != nil {
			_ = a.letGo()
			return err
		}
		if err := a.pass(m); err != nil {
			return err
		}
	}
}

func (a *answers) pass(m message) error {
	if m.kind == kindNotification && a.conn.proxy.dropsNotifications.Load() {
		_, err := a.stream.in.Discard(m.size)
		return err
	}
	to := io.Writer(a.stream.out)
	if a.conn.marks.has(a.segment) {
		if a.held.Len()+m.size > maxHeld {
			return fmt.Errorf("%w: an answer to be held exceeds %d bytes", errNotFollowed, maxHeld)
		}
		to = &a.held
	}
	if err := a.stream.copy(to, m.size); err != nil {
		return err
	}
	switch m.kind {
	case kindCopyInResponse, kindCopyBothResponse: // the server goes on only if the client does
		return a.letGo()
	case kindReadyForQuery:
		return a.endSegment()
	}
	return nil
}

func (a *answers) endSegment() error {
	stops := a.conn.marks.take(a.segment)
	a.segment++
	if len(stops) == 0 {
		return nil
	}
	if err := a.stream.out.Flush(); err != nil {
		return err
	}
	for _, stop := range stops {
		if err := stop.hold(a.conn, a.held.Bytes()); err != nil {
			return err
		}
	}
	return a.letGo()
}

func (a *answers) letGo() error {
	_, err := a.stream.out.Write(a.held.Bytes())
	a.held = bytes.Buffer{} // not Reset: it may be large
	return err
}

// marks are the segments whose answers are held, of one connection. Requests mark, answers ask.
type marks struct {
	mu   sync.Mutex
	list []mark
}

type mark struct {
	segment int
	stop    stop
}

func (m *marks) add(segment int, stops []stop) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, stop := range stops {
		m.list = append(m.list, mark{segment, stop})
	}
}

func (m *marks) has(segment int) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.ContainsFunc(m.list, func(mark mark) bool { return mark.segment == segment })
}

func (m *marks) take(segment int) []stop {
	m.mu.Lock()
	defer m.mu.Unlock()
	var stops []stop
	m.list = slices.DeleteFunc(m.list, func(mark mark) bool {
		if mark.segment == segment {
			stops = append(stops, mark.stop)
		}
		return mark.segment == segment
	})
	return stops
}
