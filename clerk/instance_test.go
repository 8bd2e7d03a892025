package clerk_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/claimsync/claimsync/clerk"
	"github.com/claimsync/claimsync/clerk/clerktest"
)

func TestInstance(t *testing.T) {
	t.Parallel()
	for key, kind := range map[string]clerk.KeyKind{"sk_test_a": clerk.KeyTest, "sk_live_a": clerk.KeyLive} {
		config := clerktest.WithoutLimits()
		config.SecretKey = key
		server, err := clerktest.Start(config)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = server.Close() })
		client := connect(t, server.BaseURL(), func(c *clerk.Config) { c.SecretKey = key })
		instance, receipt, err := client.Instance(t.Context())
		if err != nil || instance.ID != clerktest.InstanceID || instance.Kind != kind || receipt.Status != http.StatusOK {
			t.Errorf("%s: %+v, %+v, %v", key, instance, receipt, err)
		}
	}
}

// What is no instance is a failure, and one of a kind that is not known has none.
func TestInstanceAnswers(t *testing.T) {
	t.Parallel()
	server := start(t)
	client := connect(t, server.BaseURL())
	answer := func(status int, body string) {
		server.SetFaults(clerktest.Fault{Effect: clerktest.Answer, Status: status, Body: body})
	}
	answer(http.StatusOK, `{"object":"instance","id":"ins_1","environment_type":"staging"}`)
	if instance, _, err := client.Instance(t.Context()); err != nil || instance != (clerk.Instance{ID: "ins_1"}) {
		t.Errorf("of another kind: %+v, %v", instance, err)
	}
	for name, body := range map[string]string{"null": "null", "something else": `{"data":[]}`, "HTML": "<html>"} {
		answer(http.StatusOK, body)
		if _, _, err := client.Instance(t.Context()); failure(t, err).Action != clerk.Retry {
			t.Errorf("%s: %v", name, err)
		}
	}
	answer(http.StatusUnauthorized, "")
	if _, _, err := client.Instance(t.Context()); failure(t, err).Action != clerk.Stop {
		t.Errorf("401: %v", err)
	}
}

// An answer tells Clerk's clock, whatever else it says.
func TestReceiptDate(t *testing.T) {
	t.Parallel()
	server := start(t)
	client := connect(t, server.BaseURL())
	when := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for name, test := range map[string]struct {
		header string
		want   time.Time
	}{
		"told":       {when.Format(http.TimeFormat), when},
		"unreadable": {"yesterday", time.Time{}},
	} {
		server.SetFaults(clerktest.Fault{
			Effect: clerktest.Answer, Status: http.StatusServiceUnavailable, Header: map[string]string{"Date": test.header},
		})
		if _, receipt, _ := client.Instance(t.Context()); !receipt.Date.Equal(test.want) {
			t.Errorf("%s: %s, want %s", name, receipt.Date, test.want)
		}
	}
	server.ClearFaults()
	if _, receipt, err := client.Instance(t.Context()); err != nil || time.Since(receipt.Date).Abs() > time.Minute {
		t.Errorf("of the emulator itself: %s, %v", receipt.Date, err)
	}
}
