package outbox_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/claimsync/claimsync/jobs"
	"github.com/claimsync/claimsync/outbox"
)

// queue is the River queue of the tests' topic, which some process works.
func (b *bench) queue() outbox.QueuePauser {
	b.t.Helper()
	b.exec("INSERT INTO river.river_queue (name, created_at, updated_at) VALUES ($1, now(), now()) ON CONFLICT DO NOTHING", topic)
	return b.waker.(jobs.Waker)
}

func (b *bench) paused() (paused bool) {
	b.t.Helper()
	err := b.pool.QueryRow(b.t.Context(), "SELECT paused_at IS NOT NULL FROM river.river_queue WHERE name = $1", topic).Scan(&paused)
	if err != nil {
		b.t.Fatal(err)
	}
	return paused
}

// blame tells of a failure, and returns the cause if it opened the breaker.
func (b *bench) blame(key string, failure *outbox.Failure) outbox.Cause {
	b.t.Helper()
	change, _, err := b.box.Blame(b.t.Context(), b.pool, b.queue(), topic, key, failure)
	if err != nil {
		b.t.Fatal(err)
	}
	if change == nil {
		return ""
	}
	return change.Cause
}

func (b *bench) breaker() *outbox.Breaker {
	b.t.Helper()
	standing, err := b.box.Standing(b.t.Context(), b.pool, topic)
	if err != nil {
		b.t.Fatal(err)
	}
	return standing.Breaker
}

func failed(action outbox.Action, status int) *outbox.Failure {
	return &outbox.Failure{Action: action, Receipt: outbox.Receipt{Status: status}, Err: fmt.Errorf("%s %d", action, status)}
}

// What opens the breaker is what cannot be one key's own fault.
func TestBreakerEvidence(t *testing.T) {
	t.Parallel()
	outage, silence := failed(outbox.Outage, 503), failed(outbox.Ambiguous, 0)
	type report struct {
		failure *outbox.Failure // nil: a success
		times   int
		same    bool // the same key each time
	}
	tests := map[string]struct {
		reports []report
		opens   outbox.Cause
	}{
		"nothing":                            {nil, ""},
		"three keys fail":                    {[]report{{outage, 3, false}}, outbox.CauseOutage},
		"three keys get no answer":           {[]report{{silence, 3, false}}, outbox.CauseOutage},
		"one without answer, two fail":       {[]report{{silence, 1, false}, {outage, 2, false}}, outbox.CauseOutage},
		"two keys fail":                      {[]report{{outage, 2, false}}, ""},
		"one key fails again and again":      {[]report{{outage, 20, true}}, ""},
		"a success in between":               {[]report{{outage, 2, false}, {nil, 1, false}, {outage, 2, false}}, ""},
		"busy":                               {[]report{{failed(outbox.Retry, 409), 20, false}}, ""},
		"refused for good":                   {[]report{{failed(outbox.Park, 422), 20, false}}, ""},
		"told to wait":                       {[]report{{failed(outbox.Wait, 429), 20, false}}, ""},
		"answers that make no sense":         {[]report{{failed(outbox.Ambiguous, 301), 20, false}}, ""},
		"given back":                         {[]report{{failed(outbox.Canceled, 0), 20, false}}, ""},
		"the key is refused":                 {[]report{{failed(outbox.Stop, 401), 1, false}}, outbox.CauseConfiguration},
		"a few keys are unknown":             {[]report{{failed(outbox.Missing, 404), 9, false}}, ""},
		"one key is unknown again and again": {[]report{{failed(outbox.Missing, 404), 20, true}}, ""},
		"many keys are unknown":              {[]report{{failed(outbox.Missing, 404), 10, false}}, outbox.CauseConfiguration},
		"many are unknown, one was not": {
			[]report{{failed(outbox.Missing, 404), 9, false}, {nil, 1, false}, {failed(outbox.Missing, 404), 9, false}}, "",
		},
		"unknown and failing do not add up": {[]report{{failed(outbox.Missing, 404), 8, false}, {outage, 2, false}}, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, outbox.Config{})
			b.mark("good")
			n := 0
			var opened outbox.Cause
			for _, report := range test.reports {
				for range report.times {
					if report.failure == nil {
						b.acknowledge(b.lease("good"))
						continue
					}
					if !report.same {
						n++
					}
					if cause := b.blame(fmt.Sprint("k", n), report.failure); cause != "" {
						opened = cause
					}
				}
			}
			equal(t, "opened", opened, test.opens)
			equal(t, "open", b.breaker() != nil, test.opens != "")
			equal(t, "queue paused", b.reallyPaused(), test.opens != "")
		})
	}
}

func (b *bench) reallyPaused() bool {
	b.queue()
	return b.paused()
}

// Open, nobody calls but a probe; nothing is swept; closed, everything goes on.
func TestBreakerHoldsEverybodyBack(t *testing.T) {
	b := newBench(t, outbox.Config{})
	b.mark("a", "b")
	b.blame("a", failed(outbox.Stop, 401))
	equal(t, "claim", b.claim("a").Verdict, outbox.Open)
	b.exec("DELETE FROM river.river_job")
	equal(t, "sweeping", b.sweep(), 0)
	probe, err := b.box.ClaimProbe(t.Context(), b.pool, topic, "a")
	if err != nil || probe.Verdict != outbox.Claimed {
		t.Fatalf("claim of a probe: %+v, %v", probe, err)
	}
	if a := b.row("a"); a.JobID == nil {
		t.Error("the probe took the row's job from it")
	}
	b.acknowledge(probe.Lease)
	if change, err := b.box.Acquit(t.Context(), b.pool, b.queue(), topic, nil); err != nil || change == nil || change.Opened {
		t.Fatalf("after a probe that succeeded: %+v, %v", change, err)
	}
	equal(t, "queue paused", b.paused(), false)
	b.lease("b")
}

// A probe's outcome closes what it disproves, and nothing else.
func TestAcquit(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		cause   outbox.Cause
		outcome *outbox.Failure
		closes  bool
	}{
		"success after an outage":           {outbox.CauseOutage, nil, true},
		"success after a fault":             {outbox.CauseConfiguration, nil, true},
		"success while a person holds":      {outbox.CauseOperator, nil, false},
		"refused for good after an outage":  {outbox.CauseOutage, failed(outbox.Park, 422), true},
		"refused for good after a fault":    {outbox.CauseConfiguration, failed(outbox.Park, 422), true},
		"refused before it was sent":        {outbox.CauseOutage, failed(outbox.Park, 0), false},
		"busy after an outage":              {outbox.CauseOutage, failed(outbox.Retry, 409), true},
		"given up before it was sent":       {outbox.CauseOutage, failed(outbox.Retry, 0), false},
		"unknown key after an outage":       {outbox.CauseOutage, failed(outbox.Missing, 404), true},
		"unknown key after a fault":         {outbox.CauseConfiguration, failed(outbox.Missing, 404), false},
		"still failing":                     {outbox.CauseOutage, failed(outbox.Outage, 503), false},
		"still silent":                      {outbox.CauseOutage, failed(outbox.Ambiguous, 0), false},
		"told to wait":                      {outbox.CauseOutage, failed(outbox.Wait, 429), false},
		"an answer that makes no sense":     {outbox.CauseOutage, failed(outbox.Ambiguous, 204), false},
		"a fault of the configuration then": {outbox.CauseOutage, failed(outbox.Stop, 401), false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, outbox.Config{})
			b.openFor(test.cause)
			change, err := b.box.Acquit(t.Context(), b.pool, b.queue(), topic, test.outcome)
			if err != nil {
				t.Fatal(err)
			}
			equal(t, "closed", change != nil, test.closes)
			equal(t, "open", b.breaker() != nil, !test.closes)
			equal(t, "queue paused", b.paused(), !test.closes)
		})
	}
}

func (b *bench) openFor(cause outbox.Cause) {
	b.t.Helper()
	var err error
	switch cause {
	case outbox.CauseOperator:
		_, err = b.box.Open(b.t.Context(), b.pool, b.queue(), topic, "by hand")
	case outbox.CauseConfiguration:
		b.blame("a", failed(outbox.Stop, 401))
	default:
		for i := range 3 {
			b.blame(fmt.Sprint(i), failed(outbox.Outage, 503))
		}
	}
	if open := b.breaker(); err != nil || open == nil || open.Cause != cause {
		b.t.Fatalf("opened for %s: %+v, %v", cause, open, err)
	}
}

// The breaker resumes the pause that it made, and none of a person's.
func TestBreakerRespectsPausesOfOthers(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		before, during string // done to the queue by hand
		paused         bool   // after the breaker has closed
	}{
		"nobody paused":                {"", "", false},
		"paused before":                {"UPDATE river.river_queue SET paused_at = now() - interval '1 min'", "", true},
		"resumed meanwhile":            {"", "UPDATE river.river_queue SET paused_at = NULL", false},
		"resumed and paused meanwhile": {"", "UPDATE river.river_queue SET paused_at = now() + interval '1 ms'", true},
		"paused before, resumed meanwhile": {
			"UPDATE river.river_queue SET paused_at = now() - interval '1 min'", "UPDATE river.river_queue SET paused_at = NULL", false,
		},
		"no process has ever worked it": {"DELETE FROM river.river_queue", "", false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, outbox.Config{})
			queue := b.queue()
			for _, step := range []string{test.before, "", test.during} {
				if step != "" {
					b.exec(step)
				}
				if step == "" && b.breaker() == nil {
					if _, _, err := b.box.Blame(t.Context(), b.pool, queue, topic, "a", failed(outbox.Stop, 403)); err != nil {
						t.Fatal(err)
					}
				}
			}
			if _, err := b.box.Acquit(t.Context(), b.pool, queue, topic, nil); err != nil {
				t.Fatal(err)
			}
			equal(t, "paused in the end", b.reallyPaused(), test.paused)
		})
	}
}

// A person's opening outranks what was found out, and lasts until a person closes it; closing ends a block as well.
func TestBreakerByHand(t *testing.T) {
	b := newBench(t, outbox.Config{})
	b.mark("a")
	b.openFor(outbox.CauseOutage)
	b.openFor(outbox.CauseOperator)
	if change, err := b.box.Open(t.Context(), b.pool, b.queue(), topic, "again"); err != nil || change != nil {
		t.Errorf("opening what is open: %+v, %v; want nothing", change, err)
	}
	equal(t, "next probe", b.breaker().NextProbe, nil)
	b.exec("UPDATE destination SET probe_at = now() - interval '1 h'")
	if key, begun, err := b.box.ProbeBegin(t.Context(), b.pool, topic); err != nil || begun {
		t.Errorf("probe of %s, %v while a person holds it open", key, err)
	}
	if _, err := b.box.Throttle(t.Context(), b.pool, topic, time.Hour, "429"); err != nil {
		t.Fatal(err)
	}
	change, err := b.box.Close(t.Context(), b.pool, b.queue(), topic)
	if err != nil || change == nil || change.Cause != outbox.CauseOperator || change.Lasted <= 0 {
		t.Errorf("closing: %+v, %v", change, err)
	}
	equal(t, "queue paused", b.paused(), false)
	b.lease("a")
	standing, err := b.box.Standing(t.Context(), b.pool, topic)
	if diff := cmp.Diff(outbox.Standing{Rate: 1}, standing); err != nil || diff != "" {
		t.Errorf("standing: %v (-want +got):\n%s", err, diff)
	}
	if change, err = b.box.Close(t.Context(), b.pool, b.queue(), topic); err != nil || change != nil {
		t.Errorf("closing what is closed: %+v, %v; want nothing", change, err)
	}
}

// Keys that were blamed before it was clear that the configuration is at fault are not.
func TestConfigurationFaultForgives(t *testing.T) {
	b := newBench(t, outbox.Config{})
	for i := range 10 {
		key := fmt.Sprint("k", i)
		b.mark(key)
		b.release(b.lease(key), failed(outbox.Missing, 404), time.Hour)
		b.blame(key, failed(outbox.Missing, 404))
	}
	equal(t, "cause", b.breaker().Cause, outbox.CauseConfiguration)
	_, treated, err := b.box.Blame(t.Context(), b.pool, b.queue(), topic, "k11", failed(outbox.Missing, 404))
	if err != nil || treated.Action != outbox.Stop {
		t.Errorf("one more unknown key is treated as %v, %v; want as the others", treated.Action, err)
	}
	for i := range 10 {
		if row := b.row(fmt.Sprint("k", i)); row.Failures != 0 || row.NotBefore != nil {
			t.Errorf("k%d: %d failures, not before %v", i, row.Failures, row.NotBefore)
		}
	}
}

// Nor is one whose answer had come before it was clear, and that is only then written down.
func TestConfigurationFaultExcuses(t *testing.T) {
	b := newBench(t, outbox.Config{})
	b.mark("late", "refused")
	late, refused := b.lease("late"), b.lease("refused")
	b.openFor(outbox.CauseConfiguration)
	b.release(late, failed(outbox.Missing, 404), time.Hour)
	b.release(refused, failed(outbox.Retry, 409), time.Hour)
	var blamed []string
	rows, err := b.pool.Query(t.Context(), "SELECT key FROM outbox WHERE failures > 0 OR not_before > now() + interval '1 min'")
	if err == nil {
		blamed, err = pgx.CollectRows(rows, pgx.RowTo[string])
	}
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "blamed", blamed, []string{"refused"})
}

// Of many processes that find out at the same time one opens, and one begins the probe.
func TestBreakerIsOneForAll(t *testing.T) {
	b := newBench(t, outbox.Config{})
	b.mark("a", "b", "c")
	queue := b.queue()
	var opened, begun atomic.Int32
	together := func(do func(i int) error) {
		var all sync.WaitGroup
		for i := range 16 {
			all.Go(func() {
				if err := do(i); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
	}
	together(func(i int) error {
		change, _, err := b.box.Blame(t.Context(), b.pool, queue, topic, fmt.Sprint("k", i), failed(outbox.Outage, 500))
		if change != nil {
			opened.Add(1)
		}
		return err
	})
	equal(t, "opened", opened.Load(), 1)
	b.exec("UPDATE destination SET probe_at = now()")
	together(func(int) error {
		_, ok, err := b.box.ProbeBegin(t.Context(), b.pool, topic)
		if ok {
			begun.Add(1)
		}
		return err
	})
	equal(t, "probes begun", begun.Load(), 1)
}

// Probes of an outage stay close together, so that six seconds after it the first push is there; those of a fault that a
// person has to mend grow to half a minute.
func TestProbePauses(t *testing.T) {
	t.Parallel()
	for cause, most := range map[outbox.Cause]time.Duration{
		outbox.CauseOutage: 3375 * time.Millisecond, outbox.CauseConfiguration: 33750 * time.Millisecond,
	} {
		t.Run(string(cause), func(t *testing.T) {
			b := newBench(t, outbox.Config{})
			b.mark("a")
			b.openFor(cause)
			var last time.Duration
			for i := range 15 {
				b.exec("UPDATE destination SET probe_at = clock_timestamp()")
				if _, begun, err := b.box.ProbeBegin(t.Context(), b.pool, topic); err != nil || !begun {
					t.Fatalf("probe %d: %v, %v", i, begun, err)
				}
				if last = time.Until(*b.breaker().NextProbe); last > most {
					t.Errorf("probe %d: the next in %s, want at most %s", i, last, most)
				}
			}
			if last < most*7/10 {
				t.Errorf("after many probes the next is in %s, want about %s", last, most)
			}
		})
	}
}

// The key to probe with is one that may well succeed.
func TestProbeKey(t *testing.T) {
	b := newBench(t, outbox.Config{})
	probe := func() string {
		t.Helper()
		b.exec("UPDATE destination SET probe_at = clock_timestamp()")
		key, _, err := b.box.ProbeBegin(t.Context(), b.pool, topic)
		if err != nil {
			t.Fatal(err)
		}
		return key
	}
	b.openFor(outbox.CauseOutage)
	equal(t, "nothing to push", probe(), "")
	b.mark("clean")
	b.exec(`UPDATE outbox SET synced_version = desired_version, dirty_since = NULL, job_id = NULL,
		doubted_at = now() - interval '1 min', verify_at = now()`)
	equal(t, "only something to read back", probe(), "clean")
	b.mark("parked", "leased", "unknown", "ill", "well")
	b.exec("UPDATE outbox SET parked_at = now(), parked_reason = 'x', job_id = NULL WHERE key = 'parked'")
	b.exec(`UPDATE outbox SET lease_token = gen_random_uuid(), lease_version = 1, leased_at = now(),
		lease_expires_at = now() + interval '1 min' WHERE key = 'leased'`)
	b.exec("UPDATE outbox SET not_before = now() + interval '1 day', failures = 1 WHERE key = 'unknown'")
	b.exec("UPDATE outbox SET failures = 7, dirty_since = now() - interval '1 h' WHERE key = 'ill'")
	for range 20 {
		equal(t, "probe", probe(), "well")
	}
	b.exec("UPDATE outbox SET failures = 8 WHERE key = 'well'")
	equal(t, "once it failed more often", probe(), "ill")
}
