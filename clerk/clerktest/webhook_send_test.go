package clerktest_test

import (
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/claimsync/claimsync/clerk/clerktest"
)

// The example of Svix's documentation.
func TestSignWebhook(t *testing.T) {
	t.Parallel()
	got, err := clerktest.SignWebhook("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek",
		time.Unix(1614265330, 0), []byte(`{"test": 2432232314}`))
	if want := "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="; err != nil || got != want {
		t.Errorf("got %s, %v, want %s", got, err, want)
	}
	for _, bad := range []string{"", "whsec_", "whsec_*", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"} {
		if _, err := clerktest.SignWebhook(bad, "msg_1", time.Now(), nil); err == nil {
			t.Errorf("%q passed", bad)
		}
	}
}

// A webhook of one's own: old, signed by two secrets, with the other headers.
func TestWebhookRequest(t *testing.T) {
	t.Parallel()
	other := "whsec_b3RoZXI="
	old := time.Now().Add(-6 * time.Minute).Truncate(time.Second)
	w := clerktest.Webhook{ID: "msg_1", SentAt: old, Body: []byte(`{}`), Secrets: []string{clerktest.DefaultWebhookSecret, other}}
	request, err := w.Request(t.Context(), "http://example.com/hook")
	if err != nil {
		t.Fatal(err)
	}
	if request.Header.Get("svix-id") != "msg_1" || request.Header.Get("svix-timestamp") != strconv.FormatInt(old.Unix(), 10) ||
		!signed(request.Header, other, w.Body) || !signed(request.Header, clerktest.DefaultWebhookSecret, w.Body) {
		t.Errorf("%v", request.Header)
	}
	w.Prefix = "webhook"
	if request, err = w.Request(t.Context(), "http://example.com/hook"); err != nil ||
		request.Header.Get("webhook-id") != "msg_1" || request.Header.Get("svix-id") != "" {
		t.Errorf("%v, %v", request.Header, err)
	}
	r := receive(t, http.StatusNoContent)
	w = clerktest.Webhook{Body: clerktest.WebhookBody(clerktest.OrganizationDeleted, clerktest.Organization{ID: "org_1"}, time.Now())}
	if status, err := w.Send(t.Context(), r.URL); err != nil || status != http.StatusNoContent || len(r.all()) != 1 {
		t.Errorf("%d, %v, %v", status, err, r.all())
	}
}
