package clerktest_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/claimsync/claimsync/clerk/clerktest"
)

func TestFaultBreaks(t *testing.T) {
	t.Parallel()
	tests := map[clerktest.Effect]struct {
		err    error
		writes int
	}{
		clerktest.ResetBefore: {syscall.ECONNRESET, 0},
		clerktest.ResetAfter:  {syscall.ECONNRESET, 1},
		clerktest.Truncate:    {io.ErrUnexpectedEOF, 1},
	}
	for effect, test := range tests {
		t.Run(string(effect), func(t *testing.T) {
			t.Parallel()
			e := pushable(t)
			e.SetFaults(clerktest.Fault{Effect: effect})
			if got, err := e.push(t.Context(), "org_1"); !errors.Is(err, test.err) {
				t.Errorf("got %+v, %v, want %v", got, err, test.err)
			}
			if got := len(e.Writes()); got != test.writes {
				t.Errorf("%d writes, want %d", got, test.writes)
			}
		})
	}
}

func TestHang(t *testing.T) {
	t.Parallel()
	e := pushable(t)
	e.SetFaults(clerktest.Fault{Effect: clerktest.Hang})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := e.push(ctx, "org_1")
		done <- err
	}()
	if err := e.WaitFor(shortly(t), func() bool { return len(e.Requests()) == 1 }); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if err := e.WaitFor(shortly(t), func() bool { return !e.Requests()[0].Finished.IsZero() }); err != nil {
		t.Error(err)
	}
	if r := e.Requests()[0]; r.Status != 0 || len(e.Writes()) != 0 {
		t.Errorf("%+v, %d writes", r, len(e.Writes()))
	}
}

// A late write lands although its client gave up, and overwrites what came later.
func TestLate(t *testing.T) {
	t.Parallel()
	e := pushable(t)
	e.SetFaults(clerktest.Fault{Effect: clerktest.Late, Delay: time.Second, Count: 1})
	ctx, giveUp := context.WithCancel(t.Context())
	go func() {
		_ = e.WaitFor(ctx, func() bool { return len(e.Requests()) == 1 && e.Requests()[0].Fault == clerktest.Late })
		giveUp()
	}()
	if _, err := e.push(ctx, "org_1"); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	e.do("PATCH", "/v1/organizations/org_1/metadata", strings.ReplaceAll(push, "7", "8"))
	late, err := e.WaitForWrite(shortly(t), func(w clerktest.Write) bool { return w.Late })
	if err != nil {
		t.Fatal(err)
	}
	if late.Seq != 2 || late.Request != 1 || late.Version != 7 || late.Applied.Sub(late.Started) < time.Second {
		t.Errorf("late write: %+v", late)
	}
	if o, _ := e.Organization("org_1"); !strings.Contains(string(o.PrivateMetadata), `"version":7`) {
		t.Errorf("stored: %s", o.PrivateMetadata)
	}
	if got := e.MaxInFlight("org_1"); got != 1 {
		t.Errorf("in flight together: %d", got)
	}
}

// Close does not wait for what is hanging or late.
func TestCloseEndsEverything(t *testing.T) {
	t.Parallel()
	e := pushable(t)
	e.SetFaults(
		clerktest.Fault{Effect: clerktest.Late, Delay: time.Hour, Organization: "org_1"},
		clerktest.Fault{Latency: time.Hour, Method: "GET"},
		clerktest.Fault{Effect: clerktest.Hang},
	)
	done := make(chan error, 3)
	go func() { _, err := e.push(context.Background(), "org_1"); done <- err }()
	go func() { _, err := e.push(context.Background(), "org_2"); done <- err }()
	go func() {
		_, err := e.request(context.Background(), "GET", "/v1/jwks", "")
		done <- err
	}()
	allHit := func() bool { return len(e.Requests()) == 3 }
	if err := e.WaitFor(shortly(t), allHit); err != nil {
		t.Fatal(err)
	}
	if err := e.Close(); err != nil {
		t.Error(err)
	}
	for range 3 {
		if err := <-done; err == nil {
			t.Error("a request was answered")
		}
	}
}
