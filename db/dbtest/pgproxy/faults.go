package pgproxy

import (
	"maps"
	"slices"
)

// Sever resets all connections there are, at both ends, wherever they are. New ones are accepted.
func (p *Proxy) Sever() {
	p.mu.Lock()
	conns := slices.Collect(maps.Keys(p.conns))
	p.mu.Unlock()
	for _, c := range conns {
		c.sever()
	}
}

// Stall parts the network: connections are kept and accepted, but nothing that arrives from now on is forwarded, in
// either direction, nor is the end of a connection. What is held at a breakpoint stays there even if released.
func (p *Proxy) Stall() { p.gate.close() }

// Unstall forwards again, beginning with what arrived meanwhile.
func (p *Proxy) Unstall() { p.gate.open() }

// Refuse makes the proxy reset new connections, or stop doing so. Those there are go on.
func (p *Proxy) Refuse(refuse bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refusing = refuse
}

// DropNotifications makes the proxy swallow what NOTIFY sends to those who LISTEN, or stop doing so.
func (p *Proxy) DropNotifications(drop bool) { p.dropsNotifications.Store(drop) }
