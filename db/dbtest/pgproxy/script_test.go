package pgproxy

import (
	"bytes"
	"context"
	"io"
	"net"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"
)

// script is a client and a server that say what the test wants.
type script struct {
	testing.TB
	proxy          *Proxy
	client, server net.Conn
}

func newScript(t testing.TB) *script {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	s := &script{TB: t}
	if s.proxy, err = Start("postgres://" + listener.Addr().String() + "/d?sslmode=disable"); err != nil {
		t.Fatal(err)
	}
	if s.client, err = net.Dial("tcp", s.proxy.listener.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if s.server, err = listener.Accept(); err != nil {
		t.Fatal(err)
	}
	for _, conn := range []net.Conn{s.client, s.server} {
		if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func (s *script) close() error {
	_ = s.client.Close()
	_ = s.server.Close()
	return s.proxy.Close()
}

// want reads exactly this.
func (s *script) want(conn net.Conn, want []byte) {
	s.Helper()
	got := make([]byte, len(want))
	if n, err := io.ReadFull(conn, got); err != nil {
		s.Fatalf("after %q: %v, want %q", got[:n], err, want)
	}
	if !bytes.Equal(got, want) {
		s.Fatalf("got %q, want %q", got, want)
	}
}

// wantNothing can miss what comes late, but not blame what does not come.
func (s *script) wantNothing(conn net.Conn) {
	s.Helper()
	_ = conn.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
	if n, err := conn.Read(make([]byte, 1)); n > 0 {
		s.Errorf("something came, %v", err)
	}
	_ = conn.SetReadDeadline(time.Now().Add(patience))
}

func (s *script) wantHit(b *Breakpoint) {
	s.Helper()
	ctx, cancel := context.WithTimeout(s.Context(), patience)
	defer cancel()
	if err := b.Wait(ctx); err != nil {
		s.Fatal(err)
	}
}

func (s *script) send(conn net.Conn, messages ...[]byte) {
	s.Helper()
	if _, err := conn.Write(bytes.Join(messages, nil)); err != nil {
		s.Fatal(err)
	}
}

func encode(t testing.TB, messages ...pgproto3.Message) []byte {
	t.Helper()
	var all []byte
	for _, message := range messages {
		var err error
		if all, err = message.Encode(all); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

var (
	startup = &pgproto3.StartupMessage{ProtocolVersion: pgproto3.ProtocolVersion30, Parameters: map[string]string{"user": "u"}}
	ready   = &pgproto3.ReadyForQuery{TxStatus: 'I'}
	done    = &pgproto3.CommandComplete{CommandTag: []byte("SELECT 0")}
)

// logIn ends segment 0.
func (s *script) logIn() {
	s.Helper()
	s.send(s.client, encode(s, startup))
	s.want(s.server, encode(s, startup))
	s.send(s.server, encode(s, &pgproto3.AuthenticationOk{}, ready))
	s.want(s.client, encode(s, &pgproto3.AuthenticationOk{}, ready))
}
