package web

import (
	"errors"
	"net/http"

	"github.com/claimsync/claimsync/clerk"
	"github.com/claimsync/claimsync/db"
	"github.com/claimsync/claimsync/scoring"
)

// retryAfter is when to come back, in seconds: a restart or a failover of Postgres takes a few.
const retryAfter = "2"

const internalDetail = "The request failed for a reason that is not yours. It has been logged."

// problemOf decides how a failure is answered. What is not known here is our fault and keeps its details to itself.
func problemOf(err error) *problem {
	if known, ok := errors.AsType[*problem](err); ok {
		return known
	}
	if fields, ok := errors.AsType[scoring.Problems](err); ok {
		return newProblem(http.StatusUnprocessableEntity, "The body cannot be accepted.", fields...)
	}
	if malformed, ok := errors.AsType[*scoring.MalformedError](err); ok {
		return newProblem(http.StatusBadRequest, "The body is "+malformed.Error()+".")
	}
	if _, ok := errors.AsType[*clerk.Error](err); ok {
		return errClerkUnavailable
	}
	switch {
	case errors.Is(err, clerk.ErrWebhookSignature), errors.Is(err, clerk.ErrWebhookTimestamp):
		return newProblem(http.StatusUnauthorized, "The webhook is not signed with our secret, or not in the last five minutes.")
	case errors.Is(err, clerk.ErrWebhookMalformed):
		return newProblem(http.StatusBadRequest, "The body is not an event.")
	case errors.Is(err, scoring.ErrNotFound):
		return newProblem(http.StatusNotFound, "There is no such organization.")
	case errors.Is(err, scoring.ErrIDTaken):
		return taken("id", scoring.ErrIDTaken)
	case errors.Is(err, scoring.ErrClerkOrgIDTaken):
		return taken("clerk_org_id", scoring.ErrClerkOrgIDTaken)
	case db.IsUnavailable(err):
		return newProblem(http.StatusServiceUnavailable, "The database does not answer.")
	default:
		return newProblem(http.StatusInternalServerError, internalDetail)
	}
}

// errClerkUnavailable is answered where Clerk itself has to be asked, and cannot be at present.
var errClerkUnavailable = newProblem(http.StatusServiceUnavailable, "Clerk cannot be asked now.")

func taken(field string, reason error) *problem {
	return newProblem(http.StatusConflict, "Another organization is in the way.",
		scoring.Problem{Field: field, Message: reason.Error()})
}
