package torture

import (
	"flag"
	"math/rand/v2"
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/claimsync/claimsync/db/dbtest"
)

var (
	full     = flag.Bool("full", false, "run every scenario, at full size: takes minutes")
	lasting  = flag.Duration("for", 0, "how long TestChaos attacks; default 8s, with -full 3m")
	given    = flag.String("program", "", "test this build of cmd/app; default: one of the source as it is")
	before   = flag.String("before", "", "TestRollingRestart begins with this build, of the version before; default: the same")
	seedFlag = flag.Uint64("seed", 0, "of the attacks; default: another one each time")
)

// How many tests run beside one another: they wait for leases to expire, more than for a processor. At full size they
// want the processor too, and what they bound is of the program, not of its neighbours.
const (
	waiting = "20"
	working = "6"
)

func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", sized(waiting, working)); err != nil {
		panic(err)
	}
	dbtest.Main(m, goleak.Cleanup(func(code int) {
		programs.remove()
		os.Exit(code)
	}))
}

// seed returns the seed of a test's attacks, and tells it.
func seed(t *testing.T) uint64 {
	t.Helper()
	s := *seedFlag
	if s == 0 {
		s = 1 + rand.Uint64N(1_000_000)
	}
	t.Logf("seed %d", s)
	return s
}

// fullOnly skips what takes minutes.
func fullOnly(t *testing.T) {
	t.Helper()
	if !*full {
		t.Skip("only with -full")
	}
}

// sized returns the short value, or the one for -full.
func sized[T any](short, long T) T {
	if *full {
		return long
	}
	return short
}
