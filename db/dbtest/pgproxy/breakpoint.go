package pgproxy

import (
	"context"
	"errors"
	"fmt"
	"regexp"
)

// Breakpoint stops one connection at one statement, once. Its methods are safe for concurrent use.
type Breakpoint struct {
	proxy     *Proxy
	statement *regexp.Regexp
	previous  *regexp.Regexp // nil: any
	after     bool
	answer    *regexp.Regexp // nil: any
	hit       chan struct{}
	decided   chan struct{}

	// Guarded by the proxy's lock.
	skip    int
	spent   bool // hit, or never to be
	over    bool // decided
	severed bool // decided so
	conn    *conn
}

// Option narrows what a breakpoint is hit by.
type Option func(*Breakpoint)

// Skip lets the first n statements pass that would otherwise have hit.
func Skip(n int) Option {
	return func(b *Breakpoint) { b.skip = n }
}

// Following is for the end of a transaction: only statements hit before which the same connection executed one that
// matches.
func Following(pattern string) Option {
	previous := regexp.MustCompile(pattern)
	return func(b *Breakpoint) { b.previous = previous }
}

// Answering is for BreakAfter: only statements hit whose answer contains a match of a regular expression. It is matched
// against the raw bytes of all messages up to ReadyForQuery that answer the statement or another of its batch: command
// tags ("UPDATE [1-9]", "COMMIT"), values of type text, SQLSTATEs, names of columns.
func Answering(pattern string) Option {
	answer := regexp.MustCompile(pattern)
	return func(b *Breakpoint) {
		if !b.after {
			panic("pgproxy: Answering is for BreakAfter")
		}
		b.answer = answer
	}
}

// BreakBefore stops the next statement that matches, on whichever connection, before it reaches the server. What the
// client sent before it does reach the server; what it sends after it is held too.
func (p *Proxy) BreakBefore(pattern string, options ...Option) *Breakpoint {
	return p.addBreakpoint(pattern, false, options)
}

// BreakAfter stops the next statement that matches, on whichever connection, when the server has executed it and said
// ReadyForQuery, and the client knows nothing of that. Statements that fail hit too, unless Answering says otherwise.
// Held is the answer to the whole batch, but for what the server happened to send before it received the statement.
func (p *Proxy) BreakAfter(pattern string, options ...Option) *Breakpoint {
	return p.addBreakpoint(pattern, true, options)
}

func (p *Proxy) addBreakpoint(pattern string, after bool, options []Option) *Breakpoint {
	b := &Breakpoint{
		proxy:     p,
		statement: regexp.MustCompile(pattern),
		after:     after,
		hit:       make(chan struct{}),
		decided:   make(chan struct{}),
	}
	for _, option := range options {
		option(b)
	}
	p.addRule(b)
	return b
}

// Hit is closed when the statement is held.
func (b *Breakpoint) Hit() <-chan struct{} { return b.hit }

// Wait returns nil once the statement is held, however that went on. The error wraps the context's if that ended first,
// and otherwise says that there will be no hit, as the breakpoint was released or the proxy closed.
func (b *Breakpoint) Wait(ctx context.Context) error {
	var err error
	select {
	case <-b.hit:
	case <-b.decided:
		err = errors.New("the breakpoint was removed")
	case <-b.proxy.closed:
		err = errors.New("the proxy was closed")
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	select {
	case <-b.hit: // perhaps along with one of the others
		return nil
	default:
		return fmt.Errorf("pgproxy: waiting for a statement like %q: %w", b.statement, err)
	}
}

// Release lets the statement, or its answer, go on. A breakpoint that was not hit yet is removed. It does nothing after
// the first Release or Sever.
func (b *Breakpoint) Release() { b.decide(false) }

// Sever resets the connection on both sides; what is held is dropped. A breakpoint that was not hit yet is removed. It
// does nothing after the first Release or Sever.
func (b *Breakpoint) Sever() {
	if c := b.decide(true); c != nil {
		c.sever()
	}
}

// decide returns the connection to be severed now, if any; a statement that is just about to be held sees to itself.
func (b *Breakpoint) decide(sever bool) *conn {
	b.proxy.mu.Lock()
	defer b.proxy.mu.Unlock()
	if b.over {
		return nil
	}
	b.over, b.spent, b.severed = true, true, sever
	b.proxy.removeRule(b)
	close(b.decided)
	if !sever {
		return nil
	}
	return b.conn
}

// meet leaves the decision to the answer if there is to be one: it may be the wrong one, or never come.
func (b *Breakpoint) meet(s statement) (before, after stop) {
	switch {
	case b.spent || !b.statement.MatchString(s.sql) || b.previous != nil && !b.previous.MatchString(s.previous):
		return nil, nil
	case b.after:
		return nil, b
	case b.take():
		return b, nil
	}
	return nil, nil
}

// take reports whether this is the hit. It needs the lock.
func (b *Breakpoint) take() bool {
	if b.skip > 0 {
		b.skip--
		return false
	}
	b.spent = true
	return true
}

func (b *Breakpoint) hold(c *conn, answer []byte) error {
	if !b.enter(c, answer) {
		return nil
	}
	close(b.hit)
	select {
	case <-b.decided:
	case <-c.ended:
		return errSevered
	}
	b.proxy.mu.Lock()
	defer b.proxy.mu.Unlock()
	if b.severed {
		return errSevered
	}
	return nil
}

// enter reports whether the connection is to be held.
func (b *Breakpoint) enter(c *conn, answer []byte) bool {
	fits := b.answer == nil || b.answer.Match(answer)
	b.proxy.mu.Lock()
	defer b.proxy.mu.Unlock()
	if b.after && (b.spent || !fits || !b.take()) {
		return false
	}
	b.conn = c
	return true
}
