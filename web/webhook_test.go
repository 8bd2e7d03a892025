package web_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/claimsync/claimsync"
	"github.com/claimsync/claimsync/clerk"
	"github.com/claimsync/claimsync/clerk/clerktest"
	"github.com/claimsync/claimsync/db/dbtest"
	"github.com/claimsync/claimsync/jobs"
	"github.com/claimsync/claimsync/web"
)

const hookPath = "/webhooks/clerk"

// withWebhook takes Clerk's events, with baseURL as Clerk's API.
func withWebhook(t *testing.T, pool *pgxpool.Pool, baseURL string) func(*web.Config) {
	t.Helper()
	client, err := clerk.New(clerk.Config{SecretKey: clerktest.DefaultSecretKey, BaseURL: baseURL})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.CloseIdleConnections)
	sync, err := claimsync.New(claimsync.Config{Pool: pool, Clerk: client})
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := clerk.NewWebhook(clerktest.DefaultWebhookSecret)
	if err != nil {
		t.Fatal(err)
	}
	return func(config *web.Config) { config.Webhook = sync.Webhook(verifier, jobs.NewWaker(insertOnly(t, pool))) }
}

// nobodyThere is an address at which nothing listens.
const nobodyThere = "http://127.0.0.1:1/v1"

// post posts a webhook, as whoever has no token does.
func (a *api) post(webhook clerktest.Webhook, edits ...func(http.Header)) reply {
	a.t.Helper()
	request, err := webhook.Request(a.t.Context(), a.url+hookPath)
	if err != nil {
		a.t.Fatal(err)
	}
	for _, edit := range edits {
		edit(request.Header)
	}
	var headers []string
	for name := range request.Header {
		headers = append(headers, name, request.Header.Get(name))
	}
	return a.do("POST", hookPath, string(webhook.Body), append(headers, "Authorization", "")...)
}

func eventAbout(kind, id, members string) []byte {
	return []byte(`{"type":"` + kind + `","data":{"id":"` + id + `"` + members + `}}`)
}

// What is Clerk's is acknowledged, and anything else refused with a reason, and without a trace.
func TestWebhook(t *testing.T) {
	t.Parallel()
	pool := dbtest.New(t)
	a := newAPI(t, pool, withWebhook(t, pool, nobodyThere))
	a.must(201, "POST", "/v1/organizations", `{"id": "a", "name": "A", "clerk_org_id": "org_1"}`)
	before := a.contents()
	deleted := eventAbout("organization.deleted", "org_1", "")
	minutes := func(n int) time.Time { return time.Now().Add(time.Duration(n) * time.Minute) }
	without := func(name string) func(http.Header) { return func(h http.Header) { h.Del(name) } }
	tests := []struct {
		name    string
		webhook clerktest.Webhook
		edit    func(http.Header)
		status  int
	}{
		{"another secret", clerktest.Webhook{Secrets: []string{"whsec_b3RoZXI="}}, nil, 401},
		{"replayed after six minutes", clerktest.Webhook{SentAt: minutes(-6)}, nil, 401},
		{"of the future", clerktest.Webhook{SentAt: minutes(6)}, nil, 401},
		{"no id", clerktest.Webhook{}, without("Svix-Id"), 401},
		{"no timestamp", clerktest.Webhook{}, without("Svix-Timestamp"), 401},
		{"no signature", clerktest.Webhook{}, without("Svix-Signature"), 401},
		{"not JSON", clerktest.Webhook{Body: []byte("x")}, nil, 400},
		{"no event", clerktest.Webhook{Body: eventAbout("organization.deleted", "user_1", "")}, nil, 400},
		{"too long", clerktest.Webhook{Body: eventAbout("organization.deleted", "org_1", strings.Repeat(" ", 1<<20))}, nil, 413},
		{"of another type", clerktest.Webhook{Body: eventAbout("user.deleted", "user_1", "")}, nil, 204},
	}
	for _, test := range tests {
		if test.webhook.Body == nil {
			test.webhook.Body = deleted
		}
		got := a.post(test.webhook, func(h http.Header) {
			if test.edit != nil {
				test.edit(h)
			}
		})
		if test.status != 204 {
			checkProblem(t, got, test.status, "")
		} else if got.status != 204 || got.body != "" {
			t.Errorf("%s: %d %s", test.name, got.status, got.body)
		}
		if challenged := got.header.Get("WWW-Authenticate") != ""; challenged != (test.status == 401) {
			t.Errorf("%s: challenge %t", test.name, challenged)
		}
		diff(t, test.name, before, a.contents())
	}

	// Without the token, and also as if from a page of another site: the signature is what counts.
	fromElsewhere := func(h http.Header) { h.Set("Sec-Fetch-Site", "cross-site"); h.Set("Content-Type", "text/plain") }
	if got := a.post(clerktest.Webhook{Prefix: "webhook", Body: deleted}, fromElsewhere); got.status != 204 {
		t.Fatalf("%d %s", got.status, got.body)
	}
	if a.contents() == before {
		t.Error("nothing came of it")
	}
	got := a.do("GET", hookPath, "")
	checkProblem(t, got, 405, "")
	if got.header.Get("Allow") != "POST" {
		t.Errorf("Allow: %s", got.header.Get("Allow"))
	}
}

// Without a secret there is no such route.
func TestNoWebhook(t *testing.T) {
	t.Parallel()
	a := newAPI(t, dbtest.New(t))
	checkProblem(t, a.post(clerktest.Webhook{Body: eventAbout("organization.deleted", "org_1", "")}), 404, "")
	checkProblem(t, a.do("GET", hookPath, ""), 404, "")
}

// What cannot be handled now is to come again: 503.
func TestWebhookLater(t *testing.T) {
	t.Parallel()
	pool := dbtest.New(t)
	a := newAPI(t, pool, withWebhook(t, pool, nobodyThere))
	a.must(201, "POST", "/v1/organizations", `{"id": "a", "name": "A"}`)
	created := eventAbout("organization.created", "org_1", "")
	got := a.post(clerktest.Webhook{Body: created})
	checkProblem(t, got, 503, "")
	if !strings.Contains(got.body, "Clerk") {
		t.Errorf("Clerk is away: %s", got.body)
	}

	away, line := newCuttableAPI(t, func(pool *pgxpool.Pool) func(*web.Config) { return withWebhook(t, pool, nobodyThere) })
	away.must(201, "POST", "/v1/organizations", `{"id": "a", "name": "A", "clerk_org_id": "org_1"}`)
	event := clerktest.Webhook{ID: "msg_1", Body: eventAbout("organization.deleted", "org_1", "")}
	line.setCut(true)
	for range 2 {
		got := away.post(event)
		checkProblem(t, got, 503, "")
		if !strings.Contains(got.body, "database") {
			t.Errorf("the database is away: %s", got.body)
		}
	}
	line.setCut(false)
	deadline := time.Now().Add(10 * time.Second)
	for away.post(event).status != 204 {
		if time.Now().After(deadline) {
			t.Fatal("not handled 10 s after the database is back")
		}
		time.Sleep(10 * time.Millisecond)
	}
	if got := away.must(200, "GET", "/v1/organizations/a", ""); got["clerk_org_id"] != nil {
		t.Errorf("still linked: %v", got)
	}
}
