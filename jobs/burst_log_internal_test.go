package jobs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/claimsync/claimsync/internal/logtest"
	"github.com/claimsync/claimsync/outbox"
)

// failing is a burst log that failures are reported to.
type failing struct {
	*burstLog
	said logtest.Journal
}

func newFailing() *failing {
	f := &failing{}
	noTime := func(_ []string, attr slog.Attr) slog.Attr {
		if attr.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return attr
	}
	f.burstLog = newBurstLog(slog.New(slog.NewTextHandler(&f.said, &slog.HandlerOptions{ReplaceAttr: noTime})))
	return f
}

// fail reports a failure, which the log has if it is due.
func (f *failing) fail(outcome, key string, status int, text string) {
	receipt := outbox.Receipt{Status: status, TraceID: "trace-of-" + key}
	err := errors.New(text)
	if f.due(slog.LevelWarn, likenessOf("t", key, outcome, receipt, err), text) {
		f.logger.Warn("failed", "key", key)
	}
}

func (f *failing) lines() []string {
	return strings.Split(strings.TrimSuffix(f.said.String(), "\n"), "\n")
}

// Five thousand pushes fail alike within a second: the first five are told, then how many more there were, again and
// again, and at the end what is left.
func TestBurstIsSummedUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFailing()
		fail := func(n int) {
			for i := range n {
				key := fmt.Sprint("org_", i)
				f.fail("outage", key, 503, fmt.Sprintf("clerk: outage: status 503: %s (trace trace-of-%s)", key, key))
			}
		}
		fail(5000)
		want := []string{
			"level=WARN msg=failed key=org_0", "level=WARN msg=failed key=org_1", "level=WARN msg=failed key=org_2",
			"level=WARN msg=failed key=org_3", "level=WARN msg=failed key=org_4",
		}
		if diff := cmp.Diff(want, f.lines()); diff != "" {
			t.Errorf("at once (-want +got):\n%s", diff)
		}
		sum := func(more, latest int) string {
			return fmt.Sprintf(`level=WARN msg="More deliveries failed the same way" topic=t outcome=outage more=%d status=503 `+
				`latest_err="clerk: outage: status 503: org_%d (trace trace-of-org_%d)"`, more, latest, latest)
		}
		time.Sleep(burstEvery - time.Nanosecond)
		synctest.Wait()
		if len(f.lines()) != len(want) {
			t.Errorf("summed up early: %q", f.lines())
		}
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		want = append(want, sum(4995, 4999))
		fail(3)
		time.Sleep(burstEvery)
		synctest.Wait()
		want = append(want, sum(3, 2))
		fail(7)
		f.end()
		want = append(want, sum(7, 6))
		if diff := cmp.Diff(want, f.lines()); diff != "" {
			t.Errorf("in the end (-want +got):\n%s", diff)
		}
		fail(2)
		if n := len(f.lines()) - len(want); n != 2 {
			t.Errorf("%d lines after the end, want 2: nobody sums up any more", n)
		}
	})
}

// What was quiet for long enough begins anew, and is forgotten.
func TestBurstEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFailing()
		for range burstInFull + 1 {
			f.fail("outage", "a", 503, "no")
		}
		time.Sleep(2 * burstEvery) // one that has something to tell, and one that has not
		synctest.Wait()
		if len(f.bursts) != 0 {
			t.Errorf("%d bursts are remembered", len(f.bursts))
		}
		before := len(f.lines())
		f.fail("outage", "a", 503, "no")
		if f.lines()[before] != "level=WARN msg=failed key=a" {
			t.Errorf("after a pause: %q", f.lines()[before:])
		}
	})
}

// Failures once in a while are all told.
func TestSlowFailuresAreToldInFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFailing()
		for range 100 {
			f.fail("outage", "a", 503, "no")
			time.Sleep(3 * time.Second)
		}
		f.end()
		if n := strings.Count(f.said.String(), "key=a"); n != 100 || len(f.lines()) != 100 {
			t.Errorf("%d of 100 are told, in %d lines", n, len(f.lines()))
		}
	})
}

// What is alike, and what is not.
func TestLikeness(t *testing.T) {
	t.Parallel()
	of := func(topic, key, outcome string, status int, text string) likeness {
		receipt := outbox.Receipt{Status: status, TraceID: "trace-" + map[string]string{"org_a": "abc", "org_b": "xyz"}[key]}
		return likenessOf(topic, key, outcome, receipt, errors.New(strings.ReplaceAll(text, "TRACE", receipt.TraceID)))
	}
	one := of("t", "org_a", "outage", 503, "status 503 of org_a (TRACE) from 127.0.0.1:40001 after 1.2s")
	if other := of("t", "org_b", "outage", 503, "status 503 of org_b (TRACE) from 127.0.0.1:40002 after 1.3s"); one != other {
		t.Errorf("the same by other ids:\n%v\n%v", one, other)
	}
	for name, other := range map[string]likeness{
		"topic":   of("u", "org_a", "outage", 503, "status 503 of org_a (TRACE) from 127.0.0.1:40001 after 1.2s"),
		"outcome": of("t", "org_a", "retry", 503, "status 503 of org_a (TRACE) from 127.0.0.1:40001 after 1.2s"),
		"status":  of("t", "org_a", "outage", 502, "status 503 of org_a (TRACE) from 127.0.0.1:40001 after 1.2s"),
		"text":    of("t", "org_a", "outage", 503, "nobody of org_a (TRACE) from 127.0.0.1:40001 after 1.2s"),
	} {
		if one == other {
			t.Errorf("another %s makes no difference", name)
		}
	}
}

// A destination that never says the same twice neither fills the memory nor the log.
func TestBurstKindsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFailing()
		for n := range 10_000 {
			letters := strings.Map(func(r rune) rune { return r - '0' + 'a' }, fmt.Sprint(n))
			f.fail("outage", "k", 503, "no "+letters)
		}
		if len(f.bursts) > burstKinds+1 {
			t.Errorf("%d kinds are remembered", len(f.bursts))
		}
		if n := len(f.lines()); n > burstKinds+burstInFull {
			t.Errorf("%d lines", n)
		}
		f.end()
		if !strings.Contains(f.said.String(), fmt.Sprint("more=", 10_000-burstKinds-burstInFull)) {
			t.Error("the others are not summed up")
		}
	})
}

// What is left is told when the process begins to stop, by the worker, and when it has stopped, by the maintainer.
func TestBurstIsToldAtStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFailing()
		ctx, stop := context.WithCancel(t.Context())
		config := Config{Outbox: outbox.New(outbox.Config{}), Logger: f.logger, Stopping: ctx}.withDefaults()
		worker, maintainer := newDeliveryWorker(config), NewMaintainer(config, Waker{})
		for range burstInFull + 3 {
			worker.config.bursts.due(slog.LevelWarn, likeness{topic: "worker"}, "no")
			maintainer.config.bursts.due(slog.LevelWarn, likeness{topic: "maintainer"}, "no")
		}
		stop()
		synctest.Wait()
		if said := f.said.String(); !strings.Contains(said, `topic=worker outcome="" more=3`) || strings.Contains(said, "topic=maintainer") {
			t.Errorf("at the beginning of the stop: %s", said)
		}
		maintainer.Run(ctx)
		if said := f.said.String(); !strings.Contains(said, `topic=maintainer outcome="" more=3`) {
			t.Errorf("at its end: %s", said)
		}
	})
}

// Parked keys are a matter for people: the summary says where to look.
func TestParkedBurstSaysWhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFailing()
		for range burstInFull + 1 {
			f.fail("park", "a", 422, "no")
		}
		f.end()
		if last := f.lines()[burstInFull]; !strings.Contains(last, "app status") || !strings.Contains(last, "more=1") {
			t.Errorf("summary: %s", last)
		}
	})
}
