package web

import (
	"context"
	"net/http"
)

// Webhook takes Clerk's events: a *claimsync.Webhook.
type Webhook interface {
	// Receive verifies and handles an event. One of the clerk.ErrWebhook errors refuses it; after any other it is not
	// handled yet. ctx has the deadline of Config.RequestTimeout: Clerk gives up after 15 s.
	Receive(ctx context.Context, header http.Header, body []byte) error
}

// challengeWebhook goes with a 401, which has to name a scheme: https://www.standardwebhooks.com
const challengeWebhook = `Standard-Webhooks realm="claimsync"`

// receiveWebhook acknowledges what is handled, what was handled before, and what does not matter. Anything else Clerk
// sends again. A body that is not JSON is no concern of ours before its signature has been verified.
func (s *server) receiveWebhook(w http.ResponseWriter, r *http.Request) error {
	body, err := readBody(w, r)
	if err != nil {
		return err
	}
	if err := s.config.Webhook.Receive(r.Context(), r.Header, body); err != nil {
		if problemOf(err).Status == http.StatusUnauthorized {
			w.Header().Set("WWW-Authenticate", challengeWebhook)
		}
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
