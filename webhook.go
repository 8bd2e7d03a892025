package claimsync

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/claimsync/claimsync/clerk"
	"github.com/claimsync/claimsync/outbox"
)

// Webhook is where Clerk's events come in. It is safe for concurrent use.
type Webhook struct {
	sync     *Sync
	verifier *clerk.Webhook
	waker    outbox.Waker

	refusals atomic.Int64 // when one was logged last, in Unix nanoseconds
}

// Webhook returns where Clerk's events come in, for a handler of the embedding application's, or package web's.
func (s *Sync) Webhook(verifier *clerk.Webhook, waker outbox.Waker) *Webhook {
	return &Webhook{sync: s, verifier: verifier, waker: waker}
}

// eventTypeOther is what types are counted as that are not known, or not to be believed: there may be any number of
// them.
const eventTypeOther = "other"

// Receive handles an event as Clerk has posted it. After an error it is not handled, and the answer has to be other
// than 2xx: Clerk then sends it again, for about a day. The error is one of the clerk.ErrWebhook ones if it was
// refused, or one of HandleEvent's. Bound ctx to less than the 15 s that Clerk waits.
func (w *Webhook) Receive(ctx context.Context, header http.Header, body []byte) error {
	event, err := w.verifier.Open(header, body)
	if err != nil {
		w.observe(eventTypeOther, EventRefused)
		w.logRefusal(ctx, err)
		return err
	}
	eventType := eventTypeOther
	if event.Type.Known() {
		eventType = string(event.Type)
	}
	outcome, err := w.sync.HandleEvent(ctx, w.waker, event)
	if err != nil {
		outcome = EventFailed
	}
	w.observe(eventType, outcome)
	return err
}

func (w *Webhook) observe(eventType string, outcome EventOutcome) {
	if w.sync.observer != nil {
		w.sync.observer.ClerkEvent(eventType, string(outcome))
	}
}

// refusalEvery is how often a refusal is logged at most: anybody can post something without a valid signature.
const refusalEvery = time.Minute

func (w *Webhook) logRefusal(ctx context.Context, err error) {
	if errors.Is(err, clerk.ErrWebhookMalformed) {
		w.sync.logger.ErrorContext(ctx, "Clerk webhook cannot be read", "err", err)
		return
	}
	now, last := time.Now().UnixNano(), w.refusals.Load()
	if now-last >= int64(refusalEvery) && w.refusals.CompareAndSwap(last, now) {
		w.sync.logger.WarnContext(ctx, "Clerk webhook refused; others may be too, and are counted", "err", err)
	}
}
