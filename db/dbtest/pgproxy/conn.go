package pgproxy

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
)

// errSevered ends the work for a connection that the proxy closed, or is about to.
var errSevered = errors.New("severed")

// conn is a client's connection and the server's to go with it.
type conn struct {
	proxy *Proxy
	ended <-chan struct{}
	end   func() // closes ended
	marks marks

	mu     sync.Mutex
	client net.Conn
	server net.Conn // nil until it is dialed
	closed bool
}

// serve returns when both directions are over. A direction that ends by itself closes that half alone, so that the last
// words of the other still arrive.
func (c *conn) serve(ctx context.Context) {
	defer c.proxy.forget(c)
	if err := c.dial(ctx); err != nil {
		c.sever()
		return
	}
	client := gated{c.client, &c.proxy.gate, c.ended}
	server := gated{c.server, &c.proxy.gate, c.ended}
	requests := requests{conn: c, client: client, stream: newStream(client, server), statements: map[string]string{}}
	answers := answers{conn: c, stream: newStream(server, client)}

	var directions sync.WaitGroup
	directions.Go(func() { c.finish(requests.run(), requests.stream, server) })
	directions.Go(func() { c.finish(answers.run(), answers.stream, client) })
	directions.Wait()
	c.close((net.Conn).Close)
}

func (c *conn) dial(ctx context.Context) error {
	if err := c.proxy.gate.wait(c.ended); err != nil {
		return err
	}
	server, err := c.proxy.upstream.dial(ctx)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		reset(server)
		return errSevered
	}
	c.server = server
	return nil
}

// finish passes the end of a direction on: its end as an end, anything else as a reset.
func (c *conn) finish(err error, s *stream, to gated) {
	if errors.Is(err, errNotFollowed) {
		c.proxy.fail(err)
	}
	if errors.Is(err, io.EOF) {
		if err = s.out.Flush(); err == nil {
			err = to.closeWrite()
		}
	}
	if err != nil {
		c.sever()
	}
}

// sever resets both sides, so that neither takes it for an orderly end. It may be called more than once.
func (c *conn) sever() {
	c.close(func(socket net.Conn) error {
		reset(socket)
		return nil
	})
}

func (c *conn) close(end func(net.Conn) error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return
	}
	c.closed = true
	c.end()
	_ = end(c.client)
	if c.server != nil {
		_ = end(c.server)
	}
}

// reset closes a socket and drops what was not sent.
func reset(socket net.Conn) {
	if tcp, ok := socket.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = socket.Close()
}
