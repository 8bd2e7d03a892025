package jobs_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/claimsync/claimsync/internal/logtest"
	"github.com/claimsync/claimsync/outbox"
)

// logged gives the fleet a log that is read by the test.
func (f *fleet) logged() *logtest.Journal {
	said := &logtest.Journal{}
	f.config.Logger = slog.New(slog.NewJSONHandler(said, nil))
	return said
}

// linesOf returns what the log says of a key.
func linesOf(t *testing.T, said *logtest.Journal, key string) (lines []map[string]any) {
	t.Helper()
	for text := range strings.Lines(said.String()) {
		var line map[string]any
		if err := json.Unmarshal([]byte(text), &line); err != nil {
			t.Fatalf("%v in %s", err, text)
		}
		if line["key"] == key {
			lines = append(lines, line)
		}
	}
	return lines
}

// The lines, as message: outcome.
const (
	applied      = "Delivered: applied"
	failed       = "Delivery failed: ambiguous"
	fenced       = "Delivery finished after its lease was lost: fenced"
	broke        = "Delivery broke: River tries again: retry"
	verified     = "Verified: verified"
	overwritten  = "Something landed over the latest push: pushing again: overwritten"
	lateVerified = "Verification finished after its lease was lost: fenced"
)

// Each way in which a push or a verification can end is one line, with all that is known of it.
func TestOneLinePerPush(t *testing.T) {
	t.Parallel()
	receipt := outbox.Receipt{Status: 418, LogAttrs: []slog.Attr{slog.String("owner_id", "o1"), slog.String("call_id", "c1")}}
	failure := func(action outbox.Action) error {
		return &outbox.Failure{Action: action, Receipt: receipt, Err: errors.New("no")}
	}
	const loseLease = `UPDATE outbox SET lease_token = NULL, lease_version = NULL, leased_at = NULL, lease_expires_at = NULL`
	const verifyNow = `UPDATE outbox SET verify_at = clock_timestamp(), doubted_at = clock_timestamp()`
	type call func(f *fleet) error
	fails := func(err error) call { return func(*fleet) error { return err } }
	loses := func(err error) call {
		return func(f *fleet) error {
			_, execErr := f.pool.Exec(context.Background(), loseLease)
			return errors.Join(execErr, err)
		}
	}
	tests := map[string]struct {
		deliver call // the first time
		verify  call // the first time; not nil: the pushed key is verified
		inStep  bool // what that finds
		want    []string
	}{
		"acknowledged":     {fails(nil), nil, false, []string{applied}},
		"released":         {fails(failure(outbox.Ambiguous)), nil, false, []string{failed, applied}},
		"parked":           {fails(failure(outbox.Park)), nil, false, []string{"Delivery parked: park"}},
		"fenced":           {loses(nil), nil, false, []string{fenced, applied}},
		"failed, fenced":   {loses(failure(outbox.Retry)), nil, false, []string{fenced, applied}},
		"broke":            {fails(errors.New("no paper")), nil, false, []string{broke, applied}},
		"broke, fenced":    {loses(errors.New("no paper")), nil, false, []string{fenced, applied}},
		"verified":         {fails(nil), fails(nil), true, []string{applied, verified}},
		"overwritten":      {fails(nil), fails(nil), false, []string{applied, overwritten, applied}},
		"verified, fenced": {fails(nil), loses(nil), true, []string{applied, lateVerified, verified}},
		"verifying failed": {fails(nil), fails(failure(outbox.Ambiguous)), true, []string{applied, failed, verified}},
		"verifying broke":  {fails(nil), fails(errors.New("no paper")), true, []string{applied, broke, verified}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var deliveries, verifications atomic.Int32
			f := newFleet(t, nil)
			f.config.Destinations[topic] = scripted{
				func() (outbox.Receipt, error) {
					if deliveries.Add(1) == 1 {
						return receipt, test.deliver(f)
					}
					return receipt, nil
				},
				func() (bool, outbox.Receipt, error) {
					if verifications.Add(1) == 1 {
						return test.inStep, receipt, test.verify(f)
					}
					return true, receipt, nil
				},
			}
			said := f.logged()
			f.start()
			f.mark("a")
			if test.verify != nil {
				f.untilClean("a")
				f.exec(verifyNow)
			}
			f.until("the log has all lines", func() bool { return len(linesOf(t, said, "a")) >= len(test.want) })
			if test.want[len(test.want)-1] == applied {
				f.untilClean("a")
			}
			checkLines(t, linesOf(t, said, "a"), test.want)
		})
	}
}

// scripted is a destination that does as the test says.
type scripted struct {
	deliver func() (outbox.Receipt, error)
	verify  func() (bool, outbox.Receipt, error)
}

func (s scripted) Deliver(context.Context, string, int64) (outbox.Receipt, error) { return s.deliver() }

func (s scripted) Verify(context.Context, string, int64) (bool, outbox.Receipt, error) {
	return s.verify()
}

func checkLines(t *testing.T, lines []map[string]any, want []string) {
	t.Helper()
	var got []string
	for _, line := range lines {
		got = append(got, line["msg"].(string)+": "+line["outcome"].(string))
		for _, name := range []string{"topic", "version", "duration", "job_id", "attempt", "owner_id", "call_id"} {
			if line[name] == nil {
				t.Errorf("%q does not tell the %s: %v", line["msg"], name, line)
			}
		}
		if failed := strings.Contains(line["msg"].(string), "failed") || line["outcome"] == "park"; failed && line["err"] != "no" {
			t.Errorf("%q does not tell the error: %v", line["msg"], line)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
}

// One that the process did not wait for is told too.
func TestCanceledPushIsOneLine(t *testing.T) {
	started := make(chan struct{})
	f := newFleet(t, func(ctx context.Context, _ string, _ int64) (outbox.Receipt, error) {
		close(started)
		<-ctx.Done()
		receipt := outbox.Receipt{LogAttrs: []slog.Attr{slog.String("owner_id", "o1"), slog.String("call_id", "c1")}}
		return receipt, &outbox.Failure{Action: outbox.Ambiguous, Err: ctx.Err()}
	})
	f.config.Outbox = outbox.New(outbox.Config{Lease: 2 * time.Hour})
	f.config.DeliveryTimeout = time.Hour // so that only the stop ends it
	f.config.SoftStopTimeout = 50 * time.Millisecond
	said := f.logged()
	stop := f.start()
	f.mark("a")
	<-started
	stop()
	lines := linesOf(t, said, "a")
	if len(lines) != 1 || lines[0]["outcome"] != "canceled" || lines[0]["owner_id"] != "o1" {
		t.Errorf("lines: %v", lines)
	}
}

// Hundreds of keys that fail alike are a few lines, and all are accounted for.
func TestBurstOfFailuresIsSummedUp(t *testing.T) {
	const keys = 300
	stopping, beginToStop := context.WithCancel(t.Context())
	f := newFleet(t, func(context.Context, string, int64) (outbox.Receipt, error) {
		return outbox.Receipt{}, &outbox.Failure{Action: outbox.Park, Receipt: outbox.Receipt{Status: 422}, Err: errors.New("no")}
	})
	f.config.Stopping = stopping
	said := f.logged()
	f.start()
	names := make([]string, keys)
	for i := range names {
		names[i] = fmt.Sprint("k", i)
	}
	f.mark(names...)
	f.until("all are parked", func() bool {
		return f.count("SELECT count(*) FROM outbox WHERE parked_at IS NOT NULL") == keys
	})
	beginToStop()
	// Also that of a delivery whose row was parked before we told the worker to stop, and its line comes after.
	told, summed := 0, 0
	f.until("the rest is told", func() bool {
		told, summed = strings.Count(said.String(), `"Delivery parked"`), 0
		for text := range strings.Lines(said.String()) {
			var line struct {
				More int `json:"more"`
			}
			if err := json.Unmarshal([]byte(text), &line); err != nil {
				t.Fatal(err)
			}
			summed += line.More
		}
		return strings.Contains(said.String(), "app status") && told+summed >= keys
	})
	if told+summed != keys || told > 20 {
		t.Errorf("%d lines and %d summed up, want %d together:\n%s", told, summed, keys, said)
	}
}
