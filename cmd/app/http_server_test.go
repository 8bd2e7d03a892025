package main

import (
	"bufio"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// oneConn is a listener to which there comes one connection.
type oneConn struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (l *oneConn) Accept() (net.Conn, error) {
	select {
	case conn := <-l.conns:
		return conn, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *oneConn) Close() error   { l.once.Do(func() { close(l.closed) }); return nil }
func (l *oneConn) Addr() net.Addr { return &net.TCPAddr{} }

// connect starts the server on a connection, and returns the client's end of it. Time is synctest's.
func connect(t *testing.T, handler http.HandlerFunc) net.Conn {
	t.Helper()
	listener := &oneConn{conns: make(chan net.Conn, 1), closed: make(chan struct{})}
	client, served := net.Pipe()
	listener.conns <- served
	server := newServer(t.Context(), handler, slog.New(slog.DiscardHandler))
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
		if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
		_ = client.Close()
	})
	return client
}

// cutAfter is how long after now the server closes the connection; whatever it says until then is read.
func cutAfter(t *testing.T, conn net.Conn) time.Duration {
	t.Helper()
	begun := time.Now()
	if err := conn.SetReadDeadline(begun.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, conn); err != nil {
		t.Errorf("not cut off within an hour: %v", err)
	}
	return time.Since(begun)
}

// A client that is slow, or sends nothing at all, is cut off.
func TestSlowClientsAreCutOff(t *testing.T) {
	t.Parallel()
	read := func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			w.WriteHeader(http.StatusBadRequest)
		}
	}
	for name, test := range map[string]struct {
		sends string
		after time.Duration
	}{
		"nothing":             {"", 5 * time.Second},
		"half a head":         {"POST / HTTP/1.1\r\nHost: x\r\n", 5 * time.Second},
		"half a body":         {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf", 15 * time.Second},
		"no further requests": {"GET / HTTP/1.1\r\nHost: x\r\n\r\n", 2 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				conn := connect(t, read)
				if test.sends != "" {
					if _, err := io.WriteString(conn, test.sends); err != nil {
						t.Fatal(err)
					}
				}
				if after := cutAfter(t, conn); after < test.after || after > test.after+time.Second {
					t.Errorf("cut off after %s, want %s", after, test.after)
				}
			})
		})
	}
}

// Nor does one that does not read keep an answer waiting.
func TestClientsThatDoNotRead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ended := make(chan error, 1)
		conn := connect(t, func(w http.ResponseWriter, _ *http.Request) {
			_, err := io.WriteString(w, strings.Repeat("x", 1<<20))
			ended <- err
		})
		begun := time.Now()
		if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		if err := <-ended; err == nil || time.Since(begun) > 31*time.Second {
			t.Errorf("ended after %s with %v", time.Since(begun), err)
		}
	})
}

// A head without an end is refused.
func TestLongHeadsAreRefused(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		conn := connect(t, func(http.ResponseWriter, *http.Request) { t.Error("served") })
		go func() { _, _ = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\nX: "+strings.Repeat("x", 1<<20)) }()
		answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		if answer.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
			t.Errorf("%s", answer.Status)
		}
		cutAfter(t, conn)
	})
}
