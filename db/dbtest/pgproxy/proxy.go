package pgproxy

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
)

// Proxy forwards connections to one PostgreSQL server. Its methods are safe for concurrent use.
type Proxy struct {
	url      string
	upstream upstream
	listener net.Listener
	close    func() error
	closed   chan struct{} // once Close was called
	running  sync.WaitGroup

	gate               gate
	dropsNotifications atomic.Bool

	mu       sync.Mutex
	closing  bool
	refusing bool
	conns    map[*conn]struct{}
	rules    []rule
	failures []error
}

// Start listens on a free port of 127.0.0.1 and forwards to the server that databaseURL names, a URL or keywords and
// values as pgx understands them; of several hosts to the first. It does not connect yet: while the server is away,
// clients are reset. The error is about a databaseURL that is invalid or insists on TLS, or about listening. The caller
// closes the proxy.
func Start(databaseURL string) (*Proxy, error) {
	upstream, err := parseUpstream(databaseURL)
	if err != nil {
		return nil, fmt.Errorf("pgproxy: %w", err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("pgproxy: %w", err)
	}
	p := &Proxy{
		url:      throughProxy(databaseURL, listener.Addr().(*net.TCPAddr)),
		upstream: upstream,
		listener: listener,
		closed:   make(chan struct{}),
		conns:    map[*conn]struct{}{},
	}
	p.close = sync.OnceValue(p.shutDown)
	p.running.Go(p.accept)
	return p, nil
}

// URL is the databaseURL of Start, through the proxy: with its address and without TLS, the rest as it was.
func (p *Proxy) URL() string { return p.url }

// Close stops listening, resets all connections, whether held or not, and waits until nothing of the proxy runs. It may
// be called more than once. The error tells of connections that the proxy had to break because it could not follow
// them: a test that relied on them proves nothing.
func (p *Proxy) Close() error { return p.close() }

func (p *Proxy) shutDown() error {
	p.mu.Lock()
	p.closing = true
	p.mu.Unlock()
	close(p.closed)
	err := p.listener.Close()
	p.Sever()
	p.running.Wait()
	return errors.Join(append(p.failures, err)...)
}

func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			if !errors.Is(err, net.ErrClosed) {
				p.fail(fmt.Errorf("accepting: %w", err))
			}
			return
		}
		p.admit(client)
	}
}

func (p *Proxy) admit(client net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closing || p.refusing {
		reset(client)
		return
	}
	ctx, end := context.WithCancel(context.Background())
	c := &conn{proxy: p, ended: ctx.Done(), end: end, client: client}
	p.conns[c] = struct{}{}
	p.running.Go(func() { c.serve(ctx) })
}

func (p *Proxy) forget(c *conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, c)
}

// fail keeps for Close what nobody else would hear of.
func (p *Proxy) fail(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.failures = append(p.failures, fmt.Errorf("pgproxy: %w", err))
}
