package clerktest

import (
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// refusal is an error as Clerk answers it.
//
// https://clerk.com/docs/guides/development/errors/backend-api
type refusal struct {
	status     int
	code       string
	message    string
	long       string        // message again if empty
	param      string        // the parameter it is about, if any
	retryAfter time.Duration // whole seconds; 0 for none
}

func (r *refusal) Error() string { return fmt.Sprintf("%d %s: %s", r.status, r.code, r.message) }

var (
	errAuthorizationFormat = &refusal{status: http.StatusUnauthorized, code: "authorization_header_format_invalid",
		message: "Invalid Authorization header format",
		long:    `Invalid Authorization header format. Must be "Bearer <YOUR_API_KEY>"`}
	errKeyInvalid = &refusal{status: http.StatusUnauthorized, code: "clerk_key_invalid",
		message: "The provided Clerk Secret Key is invalid. Make sure that your Clerk Secret Key is correct."}
	errAPIVersion = &refusal{status: http.StatusBadRequest, code: "api_version_invalid",
		message: "Invalid API version", long: "The header Clerk-API-Version must be " + APIVersion + " here."}
	errBodyInvalid = &refusal{status: http.StatusBadRequest, code: "request_body_invalid",
		message: "Request body invalid", long: "The request body is invalid. Please consult the API documentation."}
	errBodyTooLarge = &refusal{status: http.StatusRequestEntityTooLarge, code: "request_body_too_large",
		message: "Request body too large"}
	errNotFound = &refusal{status: http.StatusNotFound, code: "resource_not_found",
		message: "not found", long: "Given organization not found."}
	errNoEndpoint = &refusal{status: http.StatusNotFound, code: "resource_not_found",
		message: "not found", long: "There is no such endpoint."}
)

func paramUnknown(name string) error {
	return &refusal{status: http.StatusUnprocessableEntity, code: "form_param_unknown", param: name,
		message: "is unknown", long: name + " is not a valid parameter for this request."}
}

func paramMissing(name string) error {
	return &refusal{status: http.StatusUnprocessableEntity, code: "form_param_missing", param: name,
		message: "is missing", long: name + " must be included."}
}

func paramInvalid(name, why string) error {
	return &refusal{status: http.StatusUnprocessableEntity, code: "form_param_value_invalid", param: name,
		message: "is invalid", long: name + " " + why + "."}
}

func paramTooLarge(name string, limit int) error {
	text := fmt.Sprintf("%s exceeds the maximum allowed size of %d bytes (%d KB).", name, limit, limit>>10)
	return &refusal{status: http.StatusUnprocessableEntity, code: "form_param_exceeds_allowed_size", param: name,
		message: text}
}

func slugTaken() error {
	return &refusal{status: http.StatusUnprocessableEntity, code: "form_identifier_exists", param: "slug",
		message: "That slug is taken. Please try another."}
}

func tooManyRequests(wait time.Duration) *refusal {
	return &refusal{status: http.StatusTooManyRequests, code: "too_many_requests", retryAfter: wait,
		message: "Too many requests. Please try again in a bit.",
		long:    "Too many requests, retry later."}
}

// seconds writes a Retry-After, which has no fractions.
func seconds(d time.Duration) string { return strconv.Itoa(int(roundUp(d, time.Second) / time.Second)) }
