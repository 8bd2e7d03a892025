package pgproxy

import (
	"regexp"
	"sync/atomic"
)

// Counter counts statements, from the moment it was made.
type Counter struct {
	statement *regexp.Regexp
	n         atomic.Int64
}

// Count counts the statements that match, as long as the proxy runs. They count when they reach the proxy, also if they
// go no further.
func (p *Proxy) Count(pattern string) *Counter {
	c := &Counter{statement: regexp.MustCompile(pattern)}
	p.addRule(c)
	return c
}

// N is how many there were.
func (c *Counter) N() int { return int(c.n.Load()) }

func (c *Counter) meet(s statement) (before, after stop) {
	if c.statement.MatchString(s.sql) {
		c.n.Add(1)
	}
	return nil, nil
}
