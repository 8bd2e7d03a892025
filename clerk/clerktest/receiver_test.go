package clerktest_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/claimsync/claimsync/clerk/clerktest"
)

// receiver is a receiver of webhooks that answers with its status, and keeps what came.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	status int
	came   []received
}

type received struct {
	ID   string
	Type string
	At   time.Time
	Data map[string]any
}

func receive(t *testing.T, status int) *receiver {
	r := &receiver{status: status}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		body, err := io.ReadAll(request.Body)
		if err != nil || !signed(request.Header, clerktest.DefaultWebhookSecret, body) {
			t.Errorf("unsigned: %v %s, %v", request.Header, body, err)
		}
		if !request.Close {
			t.Error("an idle connection stays behind")
		}
		var event struct {
			Type, Object string
			InstanceID   string `json:"instance_id"`
			Timestamp    int64
			Data         map[string]any
		}
		if err := json.Unmarshal(body, &event); err != nil || event.Object != "event" || event.InstanceID == "" {
			t.Errorf("%s: %v", body, err)
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.came = append(r.came, received{request.Header.Get("svix-id"), event.Type, time.UnixMilli(event.Timestamp), event.Data})
		w.WriteHeader(r.status)
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) answer(status int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.status = status
}

func (r *receiver) all() []received {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.came)
}

// signed tells whether one of the signatures is right.
func signed(header http.Header, secret string, body []byte) bool {
	seconds, err := strconv.ParseInt(header.Get("svix-timestamp"), 10, 64)
	if err != nil {
		return false
	}
	want, err := clerktest.SignWebhook(secret, header.Get("svix-id"), time.Unix(seconds, 0), body)
	return err == nil && slices.Contains(strings.Fields(header.Get("svix-signature")), want)
}

func (e *emulator) hooked(r *receiver, config clerktest.WebhookConfig) {
	e.t.Helper()
	config.URL = r.URL
	if err := e.SetWebhooks(config); err != nil {
		e.t.Fatal(err)
	}
}

func (e *emulator) waitForDeliveries(n int) []clerktest.Delivery {
	e.t.Helper()
	if err := e.WaitFor(shortly(e.t), func() bool { return len(e.Deliveries()) >= n }); err != nil {
		e.t.Fatalf("%v: %v", err, e.Deliveries())
	}
	return e.Deliveries()
}
