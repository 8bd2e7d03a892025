package clerk

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	minRetryAfter = time.Second
	// maxRetryAfter bounds what one answer can silence. Clerk's windows are seconds long; more is a mistake.
	maxRetryAfter = time.Hour
	// defaultRetryAfter stands in for a header that is missing or unreadable: the length of Clerk's windows, after
	// which any of them has passed.
	defaultRetryAfter = 10 * time.Second
)

// retryAfter reads the Retry-After header, which is seconds or an HTTP date. The result is between minRetryAfter and
// maxRetryAfter; named tells whether the header said anything readable.
//
// https://www.rfc-editor.org/rfc/rfc9110#field.retry-after
func retryAfter(header http.Header, now time.Time) (wait time.Duration, named bool) {
	value := strings.TrimSpace(header.Get("Retry-After"))
	if seconds, err := strconv.ParseInt(value, 10, 64); err == nil || errors.Is(err, strconv.ErrRange) {
		// Out of range, ParseInt returns the nearest it can: an absurd number is still bounded the right way.
		seconds = max(min(seconds, int64(maxRetryAfter/time.Second)), 0)
		return bounded(time.Duration(seconds) * time.Second), true
	}
	if until, err := http.ParseTime(value); err == nil {
		return bounded(until.Sub(serverTime(header, now))), true
	}
	return defaultRetryAfter, false
}

// serverTime prefers the clock that wrote the header: ours may be ahead of it, and would then ask too early.
func serverTime(header http.Header, now time.Time) time.Time {
	if sent, err := http.ParseTime(header.Get("Date")); err == nil {
		return sent
	}
	return now
}

func bounded(wait time.Duration) time.Duration { return max(minRetryAfter, min(wait, maxRetryAfter)) }
