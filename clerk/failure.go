package clerk

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"strings"
	"time"
)

// failure turns what is known about a failed call into an Error. ctx is the caller's own, without the client's
// deadline.
func (c *Client) failure(ctx context.Context, exchange *exchange, intent intent, err error) *Error {
	failure := &Error{Status: exchange.status, TraceID: c.foreign(exchange.traceID()), Err: c.cause(exchange, err)}
	if len(exchange.body.Errors) > 0 {
		first := exchange.body.Errors[0]
		failure.Code = c.foreign(first.Code)
		failure.Message = c.foreign(cmp.Or(first.LongMessage, first.Message))
	}
	failure.Action = classify(exchange, failure.Code, ended(ctx) != nil, intent)
	failure.MaybeApplied = maybeApplied(failure, intent)
	if wait, named := retryAfter(exchange.header, time.Now()); named || failure.Action == Wait {
		failure.RetryAfter = wait
		failure.RetryAfterHeader = c.foreign(exchange.header.Get("Retry-After"))
	}
	return failure
}

// maybeApplied also doubts the 5xx behind which the request may still be running. A 503 was turned away at the door,
// as was every 4xx.
func maybeApplied(e *Error, intent intent) bool {
	if intent == reads {
		return false
	}
	refused := e.Status == 0 || e.Status == http.StatusServiceUnavailable
	return e.Action == Ambiguous || e.Action == Outage && !refused
}

// cause is the error to keep. For an answer with an error status it is none: the SDK's would only repeat the body.
func (c *Client) cause(exchange *exchange, err error) error {
	switch {
	case exchange.status >= 400:
		return nil
	case exchange.status != 0 && exchange.status != http.StatusOK:
		return errors.New("not an answer to this request")
	case err != nil && strings.Contains(err.Error(), c.secretKey):
		return errors.New(c.foreign(err.Error()))
	default:
		return err
	}
}

// foreign makes text from outside fit for an error, even if it echoes our key.
func (c *Client) foreign(text string) string {
	return oneLine(strings.ReplaceAll(text, c.secretKey, "[secret key]"))
}
