package clerktest_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/claimsync/claimsync/clerk/clerktest"
)

// A delivery that is not accepted is repeated with the same ID, and does not hold up the next event.
func TestWebhookRetries(t *testing.T) {
	t.Parallel()
	e, r := pushable(t), receive(t, http.StatusServiceUnavailable)
	e.hooked(r, clerktest.WebhookConfig{RetryDelay: time.Millisecond, MaxRetryDelay: 4 * time.Millisecond, Attempts: 1000})
	e.RemoveOrganization("org_1")
	e.waitForDeliveries(3)
	e.RemoveOrganization("org_2")
	next := func() bool {
		return slices.ContainsFunc(e.Deliveries(), func(d clerktest.Delivery) bool { return d.Organization == "org_2" })
	}
	if err := e.WaitFor(shortly(t), next); err != nil {
		t.Fatalf("the next event, while the first is refused: %v", err)
	}
	r.answer(http.StatusOK)
	accepted := func() bool {
		return slices.ContainsFunc(e.Deliveries(), func(d clerktest.Delivery) bool { return d.Status == 200 && d.Organization == "org_1" })
	}
	if err := e.WaitFor(shortly(t), accepted); err != nil {
		t.Fatal(err)
	}
	var ids []string
	attempt := 0
	for _, d := range e.Deliveries() {
		if d.Organization == "org_1" {
			ids = append(ids, d.ID)
			if attempt++; d.Attempt != attempt {
				t.Errorf("%+v is not attempt %d", d, attempt)
			}
		}
	}
	if len(slices.Compact(ids)) != 1 {
		t.Errorf("several ids: %v", ids)
	}
}

// Nothing more is tried once the attempts are used up; a receiver that is not there is an attempt, too.
func TestWebhookGivesUp(t *testing.T) {
	t.Parallel()
	inBubble(t, clerktest.Config{}, func(t *testing.T, b *bubble) {
		const nowhere = "http://127.0.0.1:99999/" // no port has that number: dialing fails without a socket
		if err := b.SetWebhooks(clerktest.WebhookConfig{URL: nowhere, Attempts: 3}); err != nil {
			t.Fatal(err)
		}
		b.RemoveOrganization("org_1")
		b.at(time.Hour)
		if got := b.Deliveries(); len(got) != 3 || got[2].Status != 0 || got[2].Attempt != 3 {
			t.Errorf("%v", got)
		}
	})
}

// Duplicates keep their ID, and a spread takes the order away.
func TestWebhookTwiceAndUnordered(t *testing.T) {
	t.Parallel()
	e, r := start(t, clerktest.Config{Seed: 1}), receive(t, http.StatusOK)
	e.hooked(r, clerktest.WebhookConfig{Twice: true, Spread: 200 * time.Millisecond})
	const n = 8
	for i := range n {
		e.AddOrganization("org_"+strconv.Itoa(i), "Acme")
	}
	e.waitForDeliveries(2 * n)
	times := map[string]int{}
	var order []string
	for _, event := range r.all() {
		if times[event.ID]++; times[event.ID] == 1 {
			order = append(order, event.Data["id"].(string))
		}
	}
	for id, n := range times {
		if n != 2 {
			t.Errorf("%s came %d times", id, n)
		}
	}
	if slices.IsSorted(order) {
		t.Errorf("in order: %v", order)
	}
}

// Close does not wait for a receiver that hangs, nor for the next attempt.
func TestCloseEndsWebhooks(t *testing.T) {
	t.Parallel()
	e := pushable(t)
	arrived := make(chan struct{}, 1)
	hanging := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		arrived <- struct{}{}
		_, _ = io.Copy(io.Discard, r.Body) // only then the server notices that its client has gone
		<-r.Context().Done()
	}))
	defer hanging.Close()
	e.hooked(&receiver{Server: hanging}, clerktest.WebhookConfig{Timeout: time.Hour, RetryDelay: time.Hour})
	e.RemoveOrganization("org_1")
	e.RemoveOrganization("org_2")
	<-arrived
	if err := e.Close(); err != nil {
		t.Error(err)
	}
}
