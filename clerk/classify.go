package clerk

import "net/http"

// classify is the one place that decides what a failed call means. Given are what passed on the wire, whether the
// caller itself has ended the call, and whether the call could change something.
//
// https://clerk.com/docs/guides/development/errors/overview
func classify(e *exchange, code string, endedByCaller bool, intent intent) Action {
	switch status := e.status; {
	case status == 0 && e.neverSent && endedByCaller:
		return Retry
	case status == 0 && e.neverSent: // refused, no route, no DNS, no TLS
		return Outage
	case status == 0: // timeout, reset
		return unclear(intent, endedByCaller)
	case status < 400: // truncated or nonsensical 200, any other 2xx and 3xx
		return unclear(intent, true)

	case status == http.StatusBadRequest && code == "api_version_invalid": // not about this organization
		return Stop
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return Stop
	case status == http.StatusNotFound:
		return Missing
	case status == http.StatusConflict, // resource_locked
		status == http.StatusRequestTimeout, status == http.StatusTooEarly: // by definition not processed
		return Retry
	case status == http.StatusTooManyRequests:
		return Wait
	case status < 500: // 400, 413, 422: ours to fix
		return Park

	default:
		return Outage
	}
}

// unclear is for an outcome nobody knows. A read has none: it is simply made again, soon if Clerk did answer or the
// caller ended it, else as in an outage.
func unclear(intent intent, soon bool) Action {
	switch {
	case intent == writes:
		return Ambiguous
	case soon:
		return Retry
	default:
		return Outage
	}
}
