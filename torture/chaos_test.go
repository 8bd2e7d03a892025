package torture

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/claimsync/claimsync/db/dbtest/pgproxy"
	"github.com/claimsync/claimsync/internal/proctest"
)

const (
	chaosRound     = time.Minute
	chaosProcesses = 3
	chaosKeys      = 24
	chaosPatience  = 90 * time.Second
)

// Everything at once, at random: a round of attacks under load, then all is well again, and the judge looks at the
// whole. Rounds follow one another for as long as -for says; each has the seed of its name.
func TestChaos(t *testing.T) {
	t.Parallel()
	total := *lasting
	if total == 0 {
		total = sized(8*time.Second, 3*time.Minute)
	}
	first := seed(t)
	for round, end := uint64(0), time.Now().Add(total); time.Until(end) > time.Second && !t.Failed(); round++ {
		t.Run(fmt.Sprint("seed ", first+round), func(t *testing.T) {
			runChaos(t, first+round, min(chaosRound, time.Until(end)))
		})
	}
}

// chaos is one round.
type chaos struct {
	*fleet
	server *privateServer
	random *rand.Rand
	seats  []*seat
	ending sync.WaitGroup // what attacks have to undo
	over   chan struct{}  // closed: undo it now
	counts map[string]int // attacks by name
}

// seat is a place for a process, behind a proxy of its own. Its process is replaced when it is gone, as by a supervisor.
type seat struct {
	number  int
	proxy   *pgproxy.Proxy
	process *proctest.Process
}

func runChaos(t *testing.T, seed uint64, lasting time.Duration) {
	server := newPrivateServer(t)
	c := &chaos{
		fleet: server.fleet(chaosKeys), server: server, random: rand.New(rand.NewPCG(seed, 0)),
		over: make(chan struct{}), counts: map[string]int{},
	}
	for i := range chaosProcesses {
		c.seats = append(c.seats, &seat{number: i, proxy: c.proxy()})
	}
	c.fairWeather()
	c.seatAll()
	l := c.write(workload{
		writers: 6, hot: 4, pause: 25 * time.Millisecond,
		rolledBack: 0.1, several: 0.2, isolated: 0.1, outOfOrder: 0.05, tolerateFault: true,
	}, seed)
	for end := time.Now().Add(lasting); time.Now().Before(end); {
		c.attack()
		c.seatAll()
		pause(t.Context(), time.Duration(40+c.random.IntN(200))*time.Millisecond)
	}
	l.stop()
	c.heal()
	settled := c.settle(chaosPatience)

	got := c.judge(tolerance{zombies: true})
	t.Logf("attacks: %s", c.summary())
	t.Logf("%d transactions committed, %d rolled back, %d failed, %d conflicts; %d changes, %d pushes, %d verifications, %d duplicates, "+
		"%d old states that landed over newer ones and were repaired",
		l.committed.Load(), l.rolledBack.Load(), l.failed.Load(), l.conflicts.Load(), got.changes, got.pushes, got.verifications,
		got.duplicates, got.backwards)
	bound(t, "organizations that break a promise", got.wrong, 0)
	bound(t, "settled after the last fault", settled.Round(time.Millisecond), chaosPatience)
}

// attack makes one attack, by its weight.
func (c *chaos) attack() {
	total := 0
	for _, a := range attacks {
		total += a.weight
	}
	at := c.random.IntN(total)
	for _, a := range attacks {
		if at -= a.weight; at < 0 {
			c.counts[a.name]++
			c.attacked.note("attack: %s%s", a.name, a.make(c))
			return
		}
	}
}

// seatAll starts a process wherever there is none.
func (c *chaos) seatAll() {
	for _, s := range c.seats {
		if s.process == nil || s.process.Exited() {
			s.process = c.launch(processConfig{databaseURL: s.proxy.URL()})
			c.attacked.note("process %d starts as %d", s.number, s.process.PID())
		}
	}
}

// later undoes an attack after a while, at the latest when the round is over.
func (c *chaos) later(after time.Duration, undo func()) {
	c.ending.Go(func() {
		select {
		case <-time.After(after):
		case <-c.over:
		}
		undo()
	})
}

// heal ends all faults.
func (c *chaos) heal() {
	close(c.over)
	c.ending.Wait()
	c.fairWeather()
	c.server.answers()
	c.pool.Reset() // the tester's own queries are not to meet what broke
	for _, s := range c.seats {
		s.process.Signal(syscall.SIGCONT)
	}
	c.seatAll()
	c.attacked.note("all is well again")
}

func (c *chaos) summary() string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(c.counts)) {
		parts = append(parts, fmt.Sprintf("%d %s", c.counts[name], name))
	}
	return strings.Join(parts, ", ")
}
