package clerk

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// Check signs an event with the secret, as Clerk would, and opens it, and makes sure that one that was tampered with is not
// opened. That the secret is the one that Clerk has, only a webhook of Clerk's can show.
func (w *Webhook) Check() error {
	const id = "msg_check"
	now, body := time.Now(), []byte(`{"type":"organization.updated","data":{"object":"organization","id":"org_check"}}`)
	signature, err := w.verifier.Sign(id, now, body)
	if err != nil {
		return err
	}
	header := http.Header{}
	header.Set(standardwebhooks.HeaderWebhookID, id)
	header.Set(standardwebhooks.HeaderWebhookTimestamp, strconv.FormatInt(now.Unix(), 10))
	header.Set(standardwebhooks.HeaderWebhookSignature, signature)
	if _, err := w.Open(header, body); err != nil {
		return err
	}
	if _, err := w.Open(header, append(body, ' ')); !errors.Is(err, ErrWebhookSignature) {
		return errors.New("clerk: a webhook that was tampered with is taken for Clerk's")
	}
	return nil
}
