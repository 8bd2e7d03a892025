package clerk_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/claimsync/claimsync/clerk"
	"github.com/claimsync/claimsync/clerk/clerktest"
)

const (
	otherSecret = "whsec_YW5vdGhlciBzZWNyZXQgdGhhbiB0aGF0"
	ignoredBody = `{"type":"user.created","data":{"id":"user_1"}}`
)

func newWebhook(t *testing.T, secret string) *clerk.Webhook {
	t.Helper()
	webhook, err := clerk.NewWebhook(secret)
	if err != nil {
		t.Fatal(err)
	}
	return webhook
}

// posted is a webhook on its way, for a test to tamper with.
type posted struct {
	header http.Header
	body   string
}

func post(t *testing.T, webhook clerktest.Webhook) *posted {
	t.Helper()
	if webhook.Body == nil {
		webhook.Body = []byte(ignoredBody)
	}
	request, err := webhook.Request(t.Context(), "http://localhost/")
	if err != nil {
		t.Fatal(err)
	}
	return &posted{request.Header, string(webhook.Body)}
}

func (p *posted) open(t *testing.T) (clerk.Event, error) {
	t.Helper()
	return newWebhook(t, clerktest.DefaultWebhookSecret).Open(p.header, []byte(p.body))
}

func TestWebhookSecret(t *testing.T) {
	t.Parallel()
	for name, secret := range map[string]string{
		"empty":            "",
		"the empty key":    "whsec_",
		"no prefix":        "Y2xlcmt0ZXN0ZW11bGF0b3I=",
		"another's prefix": "sk_test_Y2xlcmt0ZXN0ZW11bGF0b3I=",
		"no base64":        "whsec_hunter2!",
		"cut off":          "whsec_Y2xlcmt0ZXN0ZW11bGF0b3I",
		"a newline":        "whsec_Y2xlcmt0ZXN0ZW11bGF0b3I=\n",
		"two":              clerktest.DefaultWebhookSecret + " " + otherSecret,
	} {
		webhook, err := clerk.NewWebhook(secret)
		if err == nil || webhook != nil {
			t.Errorf("%s: accepted", name)
		} else if strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "Y2xl") {
			t.Errorf("%s: the error shows it: %v", name, err)
		}
	}
	newWebhook(t, clerktest.DefaultWebhookSecret)
}

func TestWebhookSignatures(t *testing.T) {
	t.Parallel()
	both := []string{otherSecret, clerktest.DefaultWebhookSecret}
	tests := map[string]struct {
		webhook clerktest.Webhook
		tamper  func(*posted)
		want    error
	}{
		"svix headers":                  {},
		"webhook headers":               {webhook: clerktest.Webhook{Prefix: "webhook"}},
		"rotation, ours is the old":     {webhook: clerktest.Webhook{Secrets: both}},
		"rotation, ours is the new":     {webhook: clerktest.Webhook{Secrets: []string{both[1], both[0]}}},
		"another secret":                {webhook: clerktest.Webhook{Secrets: []string{otherSecret}}, want: clerk.ErrWebhookSignature},
		"two of other secrets":          {webhook: clerktest.Webhook{Secrets: []string{otherSecret, otherSecret}}, want: clerk.ErrWebhookSignature},
		"ours among garbage":            {tamper: wrap("v1 v1, , v2,x nonsense ", " v1a,y")},
		"another body":                  {tamper: func(p *posted) { p.body = strings.Replace(p.body, "user_1", "user_2", 1) }, want: clerk.ErrWebhookSignature},
		"a longer body":                 {tamper: func(p *posted) { p.body += " " }, want: clerk.ErrWebhookSignature},
		"no body":                       {tamper: func(p *posted) { p.body = "" }, want: clerk.ErrWebhookSignature},
		"another id":                    {tamper: set("id", "msg_2"), want: clerk.ErrWebhookSignature},
		"another timestamp":             {tamper: earlier, want: clerk.ErrWebhookSignature},
		"no timestamp":                  {tamper: set("timestamp", ""), want: clerk.ErrWebhookSignature},
		"timestamp no number":           {tamper: set("timestamp", "now"), want: clerk.ErrWebhookSignature},
		"no id":                         {tamper: set("id", ""), want: clerk.ErrWebhookSignature},
		"no signature":                  {tamper: set("signature", ""), want: clerk.ErrWebhookSignature},
		"an empty signature":            {tamper: set("signature", "v1,"), want: clerk.ErrWebhookSignature},
		"garbage":                       {tamper: set("signature", "nonsense v1 , v1,%%%"), want: clerk.ErrWebhookSignature},
		"another version":               {tamper: version("v2"), want: clerk.ErrWebhookSignature},
		"no version":                    {tamper: version(""), want: clerk.ErrWebhookSignature},
		"half a signature":              {tamper: func(p *posted) { cut(p, 20) }, want: clerk.ErrWebhookSignature},
		"the id of the other headers":   {tamper: func(p *posted) { p.header.Set("webhook-id", "msg_2") }},
		"two sets of headers, mixed":    {tamper: mix, want: clerk.ErrWebhookSignature},
		"the other headers' signature":  {tamper: func(p *posted) { rename(p, "signature") }, want: clerk.ErrWebhookSignature},
		"an id that is none":            {webhook: clerktest.Webhook{ID: "msg 1"}, want: clerk.ErrWebhookMalformed},
		"an id too long for a database": {webhook: clerktest.Webhook{ID: strings.Repeat("x", 256)}, want: clerk.ErrWebhookMalformed},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			posted := post(t, test.webhook)
			if test.tamper != nil {
				test.tamper(posted)
			}
			event, err := posted.open(t)
			if !errors.Is(err, test.want) || (err == nil) != (test.want == nil) {
				t.Fatalf("%v, want %v", err, test.want)
			}
			if (event.Type == "user.created") != (err == nil) {
				t.Errorf("%v with %+v", err, event)
			}
		})
	}
	if _, err := newWebhook(t, otherSecret).Open(http.Header{}, []byte(ignoredBody)); !errors.Is(err, clerk.ErrWebhookSignature) {
		t.Errorf("without headers: %v", err)
	}
}

func set(name, value string) func(*posted) {
	return func(p *posted) { p.header.Set("svix-"+name, value) }
}

func earlier(p *posted) {
	sent := p.header.Get("svix-timestamp")
	p.header.Set("svix-timestamp", sent[:len(sent)-1]+string('0'+'9'-sent[len(sent)-1])) // another last digit
}

func wrap(before, after string) func(*posted) {
	return func(p *posted) { p.header.Set("svix-signature", before+p.header.Get("svix-signature")+after) }
}

func version(v string) func(*posted) {
	return func(p *posted) {
		p.header.Set("svix-signature", v+strings.TrimPrefix(p.header.Get("svix-signature"), "v1"))
	}
}

func cut(p *posted, length int) {
	p.header.Set("svix-signature", p.header.Get("svix-signature")[:length])
}

func rename(p *posted, name string) {
	p.header.Set("webhook-"+name, p.header.Get("svix-"+name))
	p.header.Del("svix-" + name)
}

// mix leaves what was signed under one set of names, and puts another id under the other.
func mix(p *posted) {
	for _, name := range []string{"id", "timestamp", "signature"} {
		rename(p, name)
	}
	p.header.Set("svix-id", "msg_2")
}

// Five minutes either way, and not a second more.
func TestWebhookAge(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { // its clock stands still
		for age, want := range map[time.Duration]error{
			0:                              nil,
			5 * time.Minute:                nil,
			5*time.Minute + time.Second:    clerk.ErrWebhookTimestamp,
			365 * 24 * time.Hour:           clerk.ErrWebhookTimestamp,
			-5 * time.Minute:               nil,
			-(5*time.Minute + 1e9):         clerk.ErrWebhookTimestamp,
			-100 * 365 * 24 * time.Hour:    clerk.ErrWebhookTimestamp,
			time.Since(time.Unix(0, 0)):    clerk.ErrWebhookTimestamp,
			time.Since(time.Unix(-1e9, 0)): clerk.ErrWebhookTimestamp,
		} {
			if _, err := post(t, clerktest.Webhook{SentAt: time.Now().Add(-age)}).open(t); !errors.Is(err, want) {
				t.Errorf("at an age of %s: %v, want %v", age, err, want)
			}
		}
		posted := post(t, clerktest.Webhook{})
		time.Sleep(5*time.Minute + 1)
		if _, err := posted.open(t); !errors.Is(err, clerk.ErrWebhookTimestamp) {
			t.Errorf("replayed after five minutes: %v", err)
		}
	})
}

func TestWebhookEvents(t *testing.T) {
	t.Parallel()
	server := start(t)
	server.EditMetadata("org_1", []byte(`{"certification_tier":"CERTIFIED"}`), []byte(`{"external_id":"a"}`))
	stored, _ := server.Organization("org_1")
	at := time.UnixMilli(1_790_000_000_123)
	want := clerk.Event{ID: "msg_1", At: at, Organization: clerk.Organization{
		ID: "org_1", Name: "Acme Roofing", Slug: "acme-roofing",
		CertificationTier: clerk.Value[string]{Presence: clerk.Present, V: "CERTIFIED"},
		ComplianceScore:   clerk.Value[int]{Presence: clerk.Absent},
		InsuranceValid:    clerk.Value[bool]{Presence: clerk.Absent},
		Version:           clerk.Value[int64]{Presence: clerk.Absent},
		CreatedAt:         stored.CreatedAt, UpdatedAt: stored.UpdatedAt,
	}}
	for _, want.Type = range []clerk.EventType{clerk.OrganizationCreated, clerk.OrganizationUpdated} {
		body := clerktest.WebhookBody(clerktest.EventType(want.Type), stored, at)
		got, err := post(t, clerktest.Webhook{ID: "msg_1", Body: body}).open(t)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got, cmpopts.EquateApproxTime(0), cmpopts.IgnoreUnexported(clerk.Organization{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", want.Type, diff)
		}
		if got.Organization.TellsPrivateMetadata() {
			t.Error("Clerk showed no private metadata")
		}
	}
	deleted, err := post(t, clerktest.Webhook{Body: clerktest.WebhookBody(clerktest.OrganizationDeleted, stored, at)}).open(t)
	if err != nil || deleted.Type != clerk.OrganizationDeleted || deleted.Organization.ID != "org_1" || !deleted.Type.Known() {
		t.Errorf("deleted: %+v, %v", deleted, err)
	}
}

// What Clerk does not promise, but may send.
func TestWebhookPrivateMetadata(t *testing.T) {
	t.Parallel()
	absent := clerk.Value[string]{Presence: clerk.Absent}
	malformed := func(found string) clerk.Value[string] {
		return clerk.Value[string]{Presence: clerk.Malformed, Found: found}
	}
	for metadata, want := range map[string]struct {
		told bool
		id   clerk.Value[string]
	}{
		`null`:                {false, absent},
		`{}`:                  {true, absent},
		`{"external_id":"a"}`: {true, clerk.Value[string]{Presence: clerk.Present, V: "a"}},
		`{"external_id":7}`:   {true, malformed("7")},
		`[]`:                  {true, malformed("[]")},
	} {
		body := `{"type":"organization.created","data":{"id":"org_1","private_metadata":` + metadata + `}}`
		event, err := post(t, clerktest.Webhook{Body: []byte(body)}).open(t)
		if err != nil {
			t.Fatal(err)
		}
		org := event.Organization
		if id := org.PrivateString("external_id"); id != want.id || org.TellsPrivateMetadata() != want.told {
			t.Errorf("%s: %+v, told %t", metadata, id, org.TellsPrivateMetadata())
		}
		if !event.At.IsZero() {
			t.Errorf("at %s, of which nothing was said", event.At)
		}
	}
}

func TestWebhookMalformed(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		`x`, `[]`, `null`, `{}`, `{"type":1}`, `{"type":"user.created"}{}`,
		`{"type":"organization.updated"}`,
		`{"type":"organization.updated","data":null}`,
		`{"type":"organization.updated","data":{}}`,
		`{"type":"organization.updated","data":{"id":"org_1#f"}}`,
		`{"type":"organization.deleted","data":{"id":"user_1"}}`,
		`{"type":"organization.created","data":"org_1"}`,
	} {
		if event, err := post(t, clerktest.Webhook{Body: []byte(body)}).open(t); !errors.Is(err, clerk.ErrWebhookMalformed) {
			t.Errorf("%s: %+v, %v", body, event, err)
		}
	}
}

// A secret is tried on itself.
func TestWebhookCheck(t *testing.T) {
	t.Parallel()
	for _, secret := range []string{clerktest.DefaultWebhookSecret, otherSecret} {
		if err := newWebhook(t, secret).Check(); err != nil {
			t.Errorf("%s: %v", secret, err)
		}
	}
}
