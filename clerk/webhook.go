package clerk

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// Webhook tells Clerk's webhooks from what others post. It is safe for concurrent use.
type Webhook struct {
	verifier *standardwebhooks.Webhook
}

// The errors of Webhook.Open. They say no more than whoever posted it may know.
var (
	// ErrWebhookSignature: no signature, or none that the secret gives.
	ErrWebhookSignature = errors.New("clerk: the webhook has no valid signature")
	// ErrWebhookTimestamp: signed more than five minutes before now or after, by this machine's clock. It may be sent
	// again by somebody who recorded it. Clerk signs anew whenever it sends something again.
	ErrWebhookTimestamp = errors.New("clerk: the webhook was signed too long ago, or in the future")
	// ErrWebhookMalformed: signed as it should be, but not an event.
	ErrWebhookMalformed = errors.New("clerk: the webhook is not an event")
)

// NewWebhook returns what opens webhooks that are signed with the secret, `whsec_` and base64. The error says what is
// wrong and never holds the secret, nor a part of it.
func NewWebhook(secret string) (*Webhook, error) {
	if secret == "" {
		return nil, errors.New("clerk: the webhook secret is empty")
	}
	key, found := strings.CutPrefix(secret, "whsec_")
	// The library would also take the empty key, by which everybody can sign.
	if !found || key == "" || strings.ContainsAny(key, "\r\n") {
		return nil, errSecretForm
	}
	verifier, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		return nil, errSecretForm
	}
	return &Webhook{verifier: verifier}, nil
}

var errSecretForm = errors.New("clerk: the webhook secret must look like whsec_…, the rest of it base64")

// Open returns the event in a webhook, if one of its signatures is valid: during the rotation of a secret there are
// two, by the old one and by the new one. An error is one of the ErrWebhook ones.
//
// https://clerk.com/docs/guides/development/webhooks/overview
func (w *Webhook) Open(header http.Header, body []byte) (Event, error) {
	header = standardHeader(header)
	err := w.verifier.Verify(body, header)
	switch {
	case errors.Is(err, standardwebhooks.ErrMessageTooOld), errors.Is(err, standardwebhooks.ErrMessageTooNew):
		return Event{}, ErrWebhookTimestamp
	case err != nil:
		return Event{}, ErrWebhookSignature
	}
	event, err := parseEvent(body)
	if err == nil {
		event.ID = header.Get(standardwebhooks.HeaderWebhookID)
		err = checkMessageID(event.ID)
	}
	if err != nil {
		return Event{}, fmt.Errorf("%w: %s", ErrWebhookMalformed, oneLine(err.Error()))
	}
	return event, nil
}

// standardHeader returns the three headers of a webhook under the names that the library knows. Clerk uses those of
// Svix, who sends for it. They are taken from one set, never mixed.
//
// https://docs.svix.com/receiving/verifying-payloads/how-manual
func standardHeader(header http.Header) http.Header {
	prefix := "webhook"
	if header.Get("svix-id") != "" {
		prefix = "svix"
	}
	standard := make(http.Header, 3)
	for _, name := range []string{"id", "timestamp", "signature"} {
		standard.Set("webhook-"+name, header.Get(prefix+"-"+name))
	}
	return standard
}

// maxMessageID is far above what is in use, and far below what an index can hold.
const maxMessageID = 255

func checkMessageID(id string) error {
	if len(id) > maxMessageID || strings.ContainsFunc(id, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return errors.New("its message ID is too long, or not of printable ASCII characters")
	}
	return nil
}
