package dbtest

import (
	"context"
	"flag"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// startTimeout covers a download of PostgreSQL.
const startTimeout = 5 * time.Minute

// shared is the test binary's server.
var shared struct {
	mu      sync.Mutex
	started bool
	server  *server
	err     error
}

// running returns the shared server, which it starts for the first test; for all further ones a failure is the same.
func running(t testing.TB) *server {
	t.Helper()
	shared.mu.Lock()
	defer shared.mu.Unlock()
	if !shared.started {
		// Not the test's context: the server is for the other tests too.
		ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
		defer cancel()
		shared.server, shared.err = startServer(ctx, os.Getenv("DATABASE_URL"))
		shared.started = true
	}
	if shared.err != nil {
		t.Fatalf("dbtest: %v", shared.err)
	}
	return shared.server
}

func stopShared() error {
	shared.mu.Lock()
	defer shared.mu.Unlock()
	if shared.server == nil {
		return nil
	}
	return shared.server.close()
}

// runMoreAtOnce leaves a -parallel that was given.
func runMoreAtOnce() {
	if !flag.Parsed() {
		flag.Parse()
	}
	if parallel := flag.Lookup("test.parallel"); parallel.Value.String() == parallel.DefValue {
		if err := parallel.Value.Set(strconv.Itoa(testsAtOnce * runtime.GOMAXPROCS(0))); err != nil {
			panic(err)
		}
	}
}

// Main is for a package's TestMain: it runs the tests, stops the server and then fails if goroutines are left, apart from
// those that the options allow. It does not return. m is a *testing.M, or what runs one.
//
// A package without it leaks nothing either: the private server ends with the test binary, however that ends. Only a
// server named by DATABASE_URL then keeps the template.
func Main(m goleak.TestingM, options ...goleak.Option) {
	runMoreAtOnce()
	goleak.VerifyTestMain(stopping{m}, options...)
}

// stopping is the tests followed by the end of the server, which is where the goroutines of its pool end.
type stopping struct{ tests goleak.TestingM }

func (s stopping) Run() int {
	code := s.tests.Run()
	if err := stopShared(); err != nil {
		fmt.Fprintln(os.Stderr, "dbtest:", err)
		return max(code, 1)
	}
	return code
}
