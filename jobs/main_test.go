package jobs_test

import (
	"flag"
	"testing"

	"github.com/claimsync/claimsync/db/dbtest"
)

// waiting is how many tests run beside one another: they wait for River, for budgets and for leases, more than for a
// processor.
const waiting = "8"

func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", waiting); err != nil {
		panic(err)
	}
	dbtest.Main(m)
}
