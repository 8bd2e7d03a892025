package pgproxy

import "slices"

// rule is something that a test wants of statements.
type rule interface {
	// meet says where a statement that is about to be executed is to be stopped: nil, or a stop before it reaches the
	// server or after the server's answer. It is called with the proxy's lock held.
	meet(s statement) (before, after stop)
}

// statement is one that is about to be executed.
type statement struct {
	sql      string
	previous string // the one before it on the same connection; "": none
}

// stop is what happens there.
type stop interface {
	// hold returns when the connection may go on, or with an error if it is to be severed. The answer is that to the
	// statement and to what shares its Sync, for a stop after it; it is not to be kept.
	hold(c *conn, answer []byte) error
}

func (p *Proxy) meet(s statement) (before, after []stop) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, rule := range p.rules {
		b, a := rule.meet(s)
		if b != nil {
			before = append(before, b)
		}
		if a != nil {
			after = append(after, a)
		}
	}
	return before, after
}

func (p *Proxy) addRule(r rule) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rules = append(p.rules, r)
}

// removeRule needs the lock. It is not an error if the rule is gone.
func (p *Proxy) removeRule(r rule) {
	p.rules = slices.DeleteFunc(p.rules, func(other rule) bool { return other == r })
}
