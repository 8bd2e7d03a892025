package clerktest_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/claimsync/claimsync/clerk/clerktest"
)

func TestHistory(t *testing.T) {
	t.Parallel()
	e := start(t, clerktest.Config{})
	e.AddOrganization("org_1", "Acme")
	e.do("PATCH", "/v1/organizations/org_1/metadata", push)
	e.do("GET", "/v1/organizations/org_1", "")
	e.do("PATCH", "/v1/organizations/org_9/metadata", push)

	ignoreTimes := cmpopts.IgnoreTypes(time.Time{})
	wantRequests := []clerktest.Request{
		{Seq: 1, Method: "PATCH", Path: "/v1/organizations/org_1/metadata", Organization: "org_1", BodyBytes: len(push), Status: 200},
		{Seq: 2, Method: "GET", Path: "/v1/organizations/org_1", Organization: "org_1", Status: 200},
		{Seq: 3, Method: "PATCH", Path: "/v1/organizations/org_9/metadata", Organization: "org_9", BodyBytes: len(push), Status: 404},
	}
	if diff := cmp.Diff(wantRequests, e.Requests(), ignoreTimes); diff != "" {
		t.Error(diff)
	}
	wantWrites := []clerktest.Write{{
		Seq: 1, Request: 1, Organization: "org_1", Method: "PATCH", Version: 7,
		PublicMetadata: []byte(`{"a":1}`), PrivateMetadata: []byte(`{"claimsync":{"version":7}}`),
	}}
	if diff := cmp.Diff(wantWrites, e.Writes(), ignoreTimes); diff != "" {
		t.Error(diff)
	}
}

func TestHistoryLimit(t *testing.T) {
	t.Parallel()
	e := start(t, clerktest.Config{HistoryLimit: 3, InstanceLimit: unlimited, OrganizationLimit: unlimited})
	e.AddOrganization("org_1", "Acme")
	for range 20 {
		e.do("PATCH", "/v1/organizations/org_1/metadata", push)
		if n := len(e.Requests()); n > 3 {
			t.Fatalf("%d requests remembered", n)
		}
	}
	requests, writes := e.Requests(), e.Writes()
	if len(requests) != 3 || requests[2].Seq != 20 || len(writes) != 3 || writes[0].Seq != 18 {
		t.Errorf("%+v %+v", requests, writes)
	}
}

// Readers, writers and conditions at once; run with the race detector.
func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	e := start(t, clerktest.Config{InstanceLimit: unlimited, OrganizationLimit: unlimited})
	const writers, each = 8, 10
	var all sync.WaitGroup
	for i := range writers {
		id := fmt.Sprintf("org_%d", i)
		e.AddOrganization(id, id)
		all.Go(func() {
			for n := range each {
				body := fmt.Sprintf(`{"private_metadata":{"claimsync":{"version":%d}}}`, n+1)
				if got := e.do("PATCH", "/v1/organizations/"+id+"/metadata", body); got.status != http.StatusOK {
					t.Errorf("%d %s", got.status, got.body)
				}
				_, _, _ = e.Requests(), e.Organizations(), e.MaxInFlightAny()
			}
		})
	}
	complete := func() bool { return len(e.Writes()) == writers*each }
	if err := e.WaitFor(shortly(t), complete); err != nil {
		t.Fatal(err)
	}
	all.Wait()
	last := map[string]int64{}
	for _, w := range e.Writes() {
		if w.Version != last[w.Organization]+1 {
			t.Errorf("%s: version %d after %d", w.Organization, w.Version, last[w.Organization])
		}
		last[w.Organization] = w.Version
	}
	if got := e.MaxInFlightAny(); got != 1 {
		t.Errorf("each writer waits for its answer, yet %d were in flight", got)
	}
}

func TestMaxInFlightSeesOverlap(t *testing.T) {
	t.Parallel()
	e := start(t, clerktest.Config{})
	e.AddOrganization("org_1", "Acme")
	e.SetFaults(clerktest.Fault{Effect: clerktest.Hang, Count: 2})
	ctx, cancel := context.WithCancel(t.Context())
	var both sync.WaitGroup
	for range 2 {
		both.Go(func() { _, _ = e.push(ctx, "org_1") })
	}
	overlapped := func() bool { return e.MaxInFlight("org_1") == 2 }
	if err := e.WaitFor(shortly(t), overlapped); err != nil {
		t.Error(err)
	}
	cancel()
	both.Wait()
}

func TestWaitForGivesUp(t *testing.T) {
	t.Parallel()
	e := start(t, clerktest.Config{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := e.WaitFor(ctx, func() bool { return false }); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// Whatever a fault does, Finished lies between the beginning and what the client sees.
func TestFinished(t *testing.T) {
	t.Parallel()
	for _, fault := range []clerktest.Fault{
		{Latency: 20 * time.Millisecond},
		{Effect: clerktest.Answer, Status: 503, Latency: 20 * time.Millisecond},
		{Effect: clerktest.EmptyOK}, {Effect: clerktest.NullOK}, {Effect: clerktest.ErrorsOK},
		{Effect: clerktest.ResetBefore}, {Effect: clerktest.ResetAfter}, {Effect: clerktest.Truncate},
	} {
		t.Run(fault.String(), func(t *testing.T) {
			t.Parallel()
			e := pushable(t)
			e.SetFaults(fault)
			_, _ = e.push(t.Context(), "org_1")
			seen := time.Now()
			r := e.Requests()[0]
			if r.Finished.Before(r.Started.Add(fault.Latency)) || r.Finished.After(seen) {
				t.Errorf("started %s, finished %s, seen %s", r.Started, r.Finished, seen)
			}
		})
	}
	for _, fault := range []clerktest.Fault{{Effect: clerktest.Hang}, {Effect: clerktest.Late, Delay: time.Millisecond}} {
		t.Run(fault.String(), func(t *testing.T) {
			t.Parallel()
			e := pushable(t)
			e.SetFaults(fault)
			ctx, cancel := context.WithCancel(t.Context())
			var gaveUp time.Time
			go func() {
				_ = e.WaitFor(ctx, func() bool { return len(e.Requests()) == 1 && e.Requests()[0].Fault == fault.Effect })
				time.Sleep(20 * time.Millisecond) // so that a Finished that comes too early is before gaveUp
				gaveUp = time.Now()
				cancel()
			}()
			if _, err := e.push(ctx, "org_1"); !errors.Is(err, context.Canceled) {
				t.Fatal(err)
			}
			ended := func() bool { return len(e.Requests()) == 1 && !e.Requests()[0].Finished.IsZero() }
			if err := e.WaitFor(shortly(t), ended); err != nil {
				t.Fatal(err)
			}
			if r := e.Requests()[0]; r.Status != 0 || r.Finished.Before(gaveUp) {
				t.Errorf("gave up %s, finished %s with %d", gaveUp, r.Finished, r.Status)
			}
		})
	}
}
