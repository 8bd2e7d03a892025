package pgproxy

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"sync/atomic"
)

// Losses is a storm: statements at random cost their connection, half of them before they reach the server, half after
// the server executed them and before the client knows.
type Losses struct {
	proxy     *Proxy
	statement *regexp.Regexp
	share     float64
	random    *rand.Rand // under the proxy's lock

	seen          atomic.Int64
	before, after loss
}

// LoseCommits loses a share of the commits, from 0 to 1, until it is stopped. The seed decides by the order in which
// commits reach the proxy, so it repeats a run only if that is the same. Commits that the server answers with ROLLBACK
// are commits too.
func (p *Proxy) LoseCommits(share float64, seed uint64) *Losses {
	return p.Lose(`(?i)^\s*commit\b`, share, seed)
}

// Lose is LoseCommits for other statements, such as those that commit by themselves.
func (p *Proxy) Lose(pattern string, share float64, seed uint64) *Losses {
	if share < 0 || share > 1 {
		panic(fmt.Sprintf("pgproxy: the share %g is not between 0 and 1", share))
	}
	l := &Losses{
		proxy:     p,
		statement: regexp.MustCompile(pattern),
		share:     share,
		random:    rand.New(rand.NewPCG(seed, 0)),
	}
	p.addRule(l)
	return l
}

// Stop loses no more of what is executed from now on.
func (l *Losses) Stop() {
	l.proxy.mu.Lock()
	defer l.proxy.mu.Unlock()
	l.proxy.removeRule(l)
}

// Seen is how many statements there were, lost or not.
func (l *Losses) Seen() int { return int(l.seen.Load()) }

// Before is how many were lost before they reached the server: they had no effect.
func (l *Losses) Before() int { return int(l.before.n.Load()) }

// After is how many were lost after the server executed them.
func (l *Losses) After() int { return int(l.after.n.Load()) }

func (l *Losses) meet(s statement) (before, after stop) {
	if !l.statement.MatchString(s.sql) {
		return nil, nil
	}
	l.seen.Add(1)
	switch at := l.random.Float64(); {
	case at < l.share/2:
		return &l.before, nil
	case at < l.share:
		return nil, &l.after
	}
	return nil, nil
}

// loss severs and counts.
type loss struct{ n atomic.Int64 }

func (l *loss) hold(*conn, []byte) error {
	l.n.Add(1)
	return errSevered
}
