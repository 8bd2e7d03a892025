package pgproxy

import (
	"encoding/binary"
	"fmt"
)

// Kinds of messages from the client that matter here.
const (
	kindBind         = 'B'
	kindClose        = 'C'
	kindFunctionCall = 'F'
	kindParse        = 'P'
	kindQuery        = 'Q'
	kindSync         = 'S'
)

// Codes in place of a protocol version in a startup packet.
const (
	codeTLS = 80877103
	codeGSS = 80877104
)

// requests is the direction from the client to the server.
type requests struct {
	conn       *conn
	client     gated
	stream     *stream
	statements map[string]string // prepared ones, by name; the unnamed one too
	previous   string            // what was executed last

	// segment counts what the server ends with ReadyForQuery. Logging in is segment 0.
	segment int
}

// run forwards until an error, io.EOF if the client is done. Of a cancel request it sees the startup packet alone.
func (r *requests) run() error {
	if err := r.startUp(); err != nil {
		return err
	}
	for r.segment = 1; ; {
		m, err := r.stream.next()
		if err != nil {
			return err
		}
		if err := r.inspect(m); err != nil {
			return err
		}
		if err := r.stream.copy(r.stream.out, m.size); err != nil {
			return err
		}
		switch m.kind {
		case kindQuery, kindSync, kindFunctionCall:
			r.segment++
		}
	}
}

// startUp forwards the first packet, which has no kind, and declines the encryption that may be asked for before.
func (r *requests) startUp() error {
	for {
		head, err := r.stream.in.Peek(8)
		if err != nil {
			return err
		}
		size, code := binary.BigEndian.Uint32(head), binary.BigEndian.Uint32(head[4:])
		if size < 8 || size > bufferSize {
			return fmt.Errorf("%w: startup packet of length %d", errNotFollowed, size)
		}
		if code != codeTLS && code != codeGSS {
			return r.stream.copy(r.stream.out, int(size))
		}
		if _, err := r.stream.in.Discard(int(size)); err != nil {
			return err
		}
		if _, err := r.client.Write([]byte{'N'}); err != nil { // the server has nothing to say yet
			return err
		}
	}
}

// inspect keeps track of what is prepared, and stops where a statement is to be executed.
func (r *requests) inspect(m message) error {
	switch m.kind {
	case kindBind, kindClose, kindParse, kindQuery:
	default:
		return nil
	}
	body, err := r.stream.body(m)
	if err != nil {
		return err
	}
	switch m.kind {
	case kindParse:
		name, rest := cString(body)
		r.statements[name], _ = cString(rest)
	case kindClose:
		if len(body) > 0 && body[0] == 'S' { // else a portal
			name, _ := cString(body[1:])
			delete(r.statements, name)
		}
	case kindBind:
		_, rest := cString(body) // the portal
		name, _ := cString(rest)
		return r.meet(r.statements[name])
	case kindQuery:
		sql, _ := cString(body)
		return r.meet(sql)
	}
	return nil
}

// meet asks the rules about a statement that is next on the stream. What came before it reaches the server first; the
// answer is marked before the server can give it.
func (r *requests) meet(sql string) error {
	before, after := r.conn.proxy.meet(statement{sql, r.previous})
	r.previous = sql
	for _, stop := range before {
		if err := r.stream.out.Flush(); err != nil {
			return err
		}
		if err := stop.hold(r.conn, nil); err != nil {
			return err
		}
	}
	r.conn.marks.add(r.segment, after)
	return nil
}
