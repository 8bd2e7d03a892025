package clerk

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"
)

// What is read of an answer at most, in bytes after decompression. An organization takes less than 20 KB.
const (
	maxAnswer = 1 << 20
	maxList   = 16 << 20 // of MaxListLimit organizations
)

var errAnswerTooLarge = errors.New("the answer is larger than it can rightly be")

// exchange is what really passed on the wire during one call. The SDK hides it: an error body that is not Clerk's JSON
// costs it status and headers, a "status" member in the body replaces the real one, and it reads without a bound.
type exchange struct {
	maxAnswer int64

	status    int // 0: no answer
	header    http.Header
	body      errorBody
	neverSent bool // surely: there was no connection to send on

	dialing   atomic.Bool // a connection was asked for
	connected atomic.Bool // and given
}

func (e *exchange) traceID() string {
	if id := e.header.Get("Clerk-Trace-Id"); id != "" {
		return id
	}
	return e.body.TraceID
}

// date is zero if the answer has none that can be read.
func (e *exchange) date() time.Time {
	date, err := http.ParseTime(e.header.Get("Date"))
	if err != nil {
		return time.Time{}
	}
	return date
}

// errorBody is the part of Clerk's error answer that is kept.
//
// https://clerk.com/docs/guides/development/errors/overview
type errorBody struct {
	Errors []struct {
		Code        string `json:"code"`
		Message     string `json:"message"`
		LongMessage string `json:"long_message"`
	} `json:"errors"`
	TraceID string `json:"clerk_trace_id"`
}

type exchangeKey struct{}

// record returns a context whose call is recorded in the exchange.
func record(ctx context.Context, maxAnswer int64) (context.Context, *exchange) {
	e := &exchange{maxAnswer: maxAnswer}
	// Having a connection counts as having sent: that a request was not written is known only to a goroutine which may
	// be about to write it.
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn: func(string) { e.dialing.Store(true) },
		GotConn: func(httptrace.GotConnInfo) { e.connected.Store(true) },
	})
	return context.WithValue(ctx, exchangeKey{}, e), e
}

// recorder is the RoundTripper below the SDK. It notes the exchange and hands the SDK only bodies it cannot misread.
type recorder struct{ next http.RoundTripper }

// CloseIdleConnections lets http.Client reach the transport's.
func (r *recorder) CloseIdleConnections() {
	if closer, ok := r.next.(interface{ CloseIdleConnections() }); ok {
		closer.CloseIdleConnections()
	}
}

// RoundTrip implements http.RoundTripper.
func (r *recorder) RoundTrip(request *http.Request) (*http.Response, error) {
	exchange, ok := request.Context().Value(exchangeKey{}).(*exchange)
	if !ok {
		return nil, errors.New("clerk: a request outside of call")
	}
	if err := ended(request.Context()); err != nil { // the last moment at which not to send
		exchange.neverSent = true
		return nil, err
	}
	response, err := r.next.RoundTrip(request)
	if err != nil {
		exchange.neverSent = exchange.dialing.Load() && !exchange.connected.Load()
		return nil, err
	}
	exchange.status, exchange.header = response.StatusCode, response.Header
	body, err := readAnswer(response.Body, exchange.maxAnswer)
	if response.StatusCode != http.StatusOK {
		// The status says enough: a body that is broken, HTML or empty changes nothing.
		_ = json.Unmarshal(body, &exchange.body)
		body, err = []byte(`{"errors":[]}`), nil
	}
	if err != nil {
		return nil, err
	}
	response.Body = io.NopCloser(bytes.NewReader(body))
	response.ContentLength = int64(len(body))
	return response, nil
}

// readAnswer reads the whole body, so that the connection can be used again, and closes it.
func readAnswer(body io.ReadCloser, most int64) ([]byte, error) {
	defer body.Close()
	read, err := io.ReadAll(io.LimitReader(body, most+1))
	if err == nil && int64(len(read)) > most {
		return nil, errAnswerTooLarge
	}
	return read, err
}
