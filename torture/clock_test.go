package torture

import (
	"errors"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/claimsync/claimsync/clerk/clerktest"
)

// wrongClock makes the program's clock wrong by CLOCK_SKEW seconds, in all it does and in all that its libraries do.
// There is no way to do that to one process from outside.
func wrongClock(t *testing.T) []edit {
	t.Helper()
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(errors.Join(err, errors.New("go env GOROOT")))
	}
	library := filepath.Join(strings.TrimSpace(string(root)), "src", "time")
	return []edit{
		{
			file: filepath.Join(library, "time.go"),
			old:  "func Now() Time {\n\tsec, nsec, mono := runtimeNow()\n",
			new:  "func Now() Time {\n\tsec, nsec, mono := runtimeNow()\n\tsec += skew\n",
		},
		{
			file: filepath.Join(library, "zoneinfo.go"),
			old:  "func (l *Location) get() *Location {\n",
			new: `var skew = func() (seconds int64) {
	text, _ := syscall.Getenv("CLOCK_SKEW")
	sign := int64(1)
	for i, digit := range []byte(text) {
		if i == 0 && digit == '-' {
			sign = -1
		} else {
			seconds = seconds*10 + int64(digit-'0')
		}
	}
	return sign * seconds
}()

func (l *Location) get() *Location {
`,
		},
	}
}

// Processes whose clocks disagree by hours, with one another and with the database: leases, delays and blocks are the
// database's, so nothing comes early, nothing is late by more than a sweep, and nothing spins.
func TestClocksDisagree(t *testing.T) {
	fullOnly(t) // it builds the standard library anew
	t.Parallel()
	wrong := editedProgram(t, "wrongclock", wrongClock(t)...)
	tests := map[string][]string{
		"ahead":           {"10800"},
		"behind":          {"-10800"},
		"ahead by a day":  {"86400"},
		"all three kinds": {"10800", "-10800", "0"},
	}
	for name, skews := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const organizations = 12
			f := newFleet(t, organizations)
			started := time.Now()
			proxy := f.proxy()
			claims := proxy.Count("name: OutboxClaim ")
			for _, skew := range skews {
				f.checkSkew(skew, f.start(processConfig{
					path: wrong, databaseURL: proxy.URL(), environment: []string{"CLOCK_SKEW=" + skew},
				}))
			}
			l := f.write(workload{writers: 4, pause: 20 * time.Millisecond, several: 0.2}, seed(t))
			f.untilClerk("pushed", recovery, func() bool { return len(f.clerk.Writes()) > 50 })
			// Everybody is told to wait, then keys fail until the breaker opens, and a few probes with them. Each probe
			// waits its three seconds.
			f.clerk.SetFaults(
				clerktest.Fault{Effect: clerktest.Answer, Status: 429, RetryAfter: retryAfter, Count: 1},
				clerktest.Fault{Effect: clerktest.Answer, Status: 500, Count: 6},
			)
			f.until("all failures were had", 2*recovery, func() bool { return len(f.clerk.Faults()) == 0 })
			l.stop()
			pushed := f.until("every change is pushed", recovery, func() bool {
				return f.dirty() == 0
			})
			f.settle(recovery)
			got := f.judge(tolerance{})
			t.Logf("%d changes, %d pushes, %d verifications", got.changes, got.pushes, got.verifications)
			bound(t, "every change pushed after the last failure", pushed.Round(time.Millisecond), recovery)
			// While everybody is kept away, whoever waits asks once a second: a loop asks thousands of times.
			waiting := organizations * int(time.Since(started)/time.Second)
			bound(t, "claims tried", claims.N(), 2*(got.pushes+got.verifications)+waiting)
			bound(t, "calls before Retry-After had passed", f.tooEarly(), 0)
		})
	}
}

// checkSkew makes sure that the program's clock is wrong.
func (f *fleet) checkSkew(seconds string, p *process) {
	f.t.Helper()
	skew, err := time.ParseDuration(seconds + "s")
	if err != nil {
		f.t.Fatal(err)
	}
	logged, err := time.Parse(time.RFC3339Nano, p.WaitFor(`"time":"([^"]+)"`))
	if err != nil {
		f.t.Fatal(err)
	}
	if off := time.Until(logged) - skew; off.Abs() > time.Minute {
		f.t.Fatalf("the process logs %s: its clock is not off by %s", logged, skew)
	}
}

// tooEarly counts the requests that were made while Clerk had asked to be left alone. What was on its way when it asked
// is not counted.
func (f *fleet) tooEarly() (early int) {
	requests := f.clerk.Requests()
	for _, told := range requests {
		if told.Status != http.StatusTooManyRequests {
			continue
		}
		for _, r := range requests {
			if r.Started.After(told.Finished.Add(onTheWay)) && r.Started.Before(told.Finished.Add(retryAfter)) {
				early++
			}
		}
	}
	return early
}

const (
	retryAfter = 3 * time.Second
	// onTheWay is how long a worker that has claimed before the block may take to send.
	onTheWay = 300 * time.Millisecond
)
