package pgproxy

import (
	"encoding/binary"
	"io"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"
)

// TestHeldInOrder holds one statement in the middle of a pipeline that arrives in one write.
func TestHeldInOrder(t *testing.T) {
	t.Parallel()
	s := newScript(t)
	defer func() { _ = s.close() }()
	s.logIn()
	prepare := encode(t,
		&pgproto3.Parse{Name: "a", Query: "-- name: A"}, &pgproto3.Parse{Name: "b", Query: "-- name: B"}, &pgproto3.Sync{})
	first := encode(t, &pgproto3.Bind{PreparedStatement: "a"}, &pgproto3.Execute{}, &pgproto3.Flush{})
	second := encode(t, &pgproto3.Bind{PreparedStatement: "b"}, &pgproto3.Execute{}, &pgproto3.Sync{}, &pgproto3.Query{String: "q"})

	before := s.proxy.BreakBefore("name: B")
	s.send(s.client, prepare, first, second)
	s.want(s.server, prepare)
	s.want(s.server, first)
	s.wantHit(before)
	s.wantNothing(s.server)
	before.Release()
	s.want(s.server, second)
}

// TestHeldSegment holds one answer of several that arrive in one write.
func TestHeldSegment(t *testing.T) {
	t.Parallel()
	s := newScript(t)
	defer func() { _ = s.close() }()
	s.logIn()
	requests := encode(t, &pgproto3.Query{String: "one"},
		&pgproto3.Parse{Query: "two"}, &pgproto3.Bind{}, &pgproto3.Execute{}, &pgproto3.Sync{}, &pgproto3.FunctionCall{},
		&pgproto3.Parse{Query: "three"}, &pgproto3.Bind{}, &pgproto3.Execute{}, &pgproto3.Sync{}, &pgproto3.Query{String: "four"})
	three := s.proxy.BreakAfter("three")
	s.send(s.client, requests)
	s.want(s.server, requests)
	earlier := encode(t, done, ready, &pgproto3.ParseComplete{}, &pgproto3.BindComplete{}, done, ready, ready)
	held := encode(t, &pgproto3.ParseComplete{}, &pgproto3.BindComplete{}, done)
	s.send(s.server, earlier, held)
	s.want(s.client, earlier)
	s.wantNothing(s.client)
	select {
	case <-three.Hit():
		t.Error("it was hit before ReadyForQuery")
	default:
	}
	s.send(s.server, encode(t, ready, done, ready))
	s.wantHit(three)
	s.wantNothing(s.client)
	three.Release()
	s.want(s.client, append(held, encode(t, ready, done, ready)...))
}

// TestEarlierAnswersGoOn although they come along with the one that is held.
func TestEarlierAnswersGoOn(t *testing.T) {
	t.Parallel()
	s := newScript(t)
	defer func() { _ = s.close() }()
	s.logIn()
	requests := encode(t, &pgproto3.Query{String: "one"}, &pgproto3.Query{String: "two"})
	two := s.proxy.BreakAfter("two")
	s.send(s.client, requests)
	s.want(s.server, requests)
	answer := encode(t, done, ready)
	s.send(s.server, answer, answer)
	s.wantHit(two)
	s.want(s.client, answer)
	two.Release()
	s.want(s.client, answer)
}

// TestRemovedDuringExecution lets an answer pass that would have been held.
func TestRemovedDuringExecution(t *testing.T) {
	t.Parallel()
	s := newScript(t)
	defer func() { _ = s.close() }()
	s.logIn()
	one, request, answer := s.proxy.BreakAfter("one"), encode(t, &pgproto3.Query{String: "one"}), encode(t, done, ready)
	s.send(s.client, request)
	s.want(s.server, request)
	one.Sever()
	s.send(s.server, answer)
	s.want(s.client, answer)
}

// TestCopyIsAskedFor holds the answer to the data, not the server's wish for it.
func TestCopyIsAskedFor(t *testing.T) {
	t.Parallel()
	s := newScript(t)
	defer func() { _ = s.close() }()
	s.logIn()
	copied := s.proxy.BreakAfter("copy")
	request, wish := encode(t, &pgproto3.Query{String: "copy"}), encode(t, &pgproto3.CopyInResponse{})
	s.send(s.client, request)
	s.want(s.server, request)
	s.send(s.server, wish)
	s.want(s.client, wish)
	s.send(s.client, encode(t, &pgproto3.CopyDone{}))
	s.want(s.server, encode(t, &pgproto3.CopyDone{}))
	s.send(s.server, encode(t, done, ready))
	s.wantHit(copied)
	s.wantNothing(s.client)
	copied.Release()
	s.want(s.client, encode(t, done, ready))
}

// TestAnswerCutOff gives the client what the server said before it died.
func TestAnswerCutOff(t *testing.T) {
	t.Parallel()
	s := newScript(t)
	defer func() { _ = s.close() }()
	s.logIn()
	s.proxy.BreakAfter("one")
	one := encode(t, &pgproto3.Query{String: "one"})
	s.send(s.client, one)
	s.want(s.server, one)
	fatal := encode(t, &pgproto3.ErrorResponse{Severity: "FATAL", Code: "57P01"})
	s.send(s.server, fatal)
	_ = s.server.Close()
	s.want(s.client, fatal)
	if _, err := s.client.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("got %v, want the end", err)
	}
}

// TestNotFollowed breaks what is no message, and says so at the end.
func TestNotFollowed(t *testing.T) {
	t.Parallel()
	for name, nonsense := range map[string]func(*script){
		"startup": func(s *script) { s.send(s.client, []byte("GET / HTTP/1.1\r\n")) },
		"request": func(s *script) { s.logIn(); s.send(s.client, []byte("Q\x00\x00\x00\x03")) },
		"large": func(s *script) {
			s.logIn()
			s.proxy.BreakAfter("one")
			one := encode(s, &pgproto3.Query{String: "one"})
			s.send(s.client, one)
			s.want(s.server, one)
			s.send(s.server, binary.BigEndian.AppendUint32([]byte{'D'}, maxHeld))
		},
		"answer": func(s *script) { s.logIn(); s.send(s.server, []byte("HTTP/1.1 400 Bad Request\r\n")) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScript(t)
			nonsense(s)
			if n, err := s.client.Read(make([]byte, 1)); err == nil {
				t.Errorf("the client got %d bytes, want a broken connection", n)
			}
			if err := s.close(); err == nil {
				t.Error("Close says nothing of it")
			}
		})
	}
}
