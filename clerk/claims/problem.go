package claims

import (
	"encoding/json"
	"fmt"
	"net/http"
)

// retryAfter is in how many seconds keys that are unavailable are worth another try.
const retryAfter = "5"

// problem is the answer to a request that is refused (RFC 9457). Its type is about:blank, the default: the status says what
// happened, and further members why.
type problem struct {
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
}

func newProblem(status int, detail string) problem {
	return problem{Title: http.StatusText(status), Status: status, Detail: detail}
}

// unauthorized is for a token that is not accepted.
type unauthorized struct {
	problem
	Reason Reason `json:"reason"`
}

// forbidden is for claims that are not enough.
type forbidden struct {
	problem
	Claim    string `json:"claim"`
	Required any    `json:"required"`
	Actual   any    `json:"actual"`  // null: absent or malformed
	Refresh  bool   `json:"refresh"` // a new token may have other claims: getToken({skipCache: true}), once
}

// refuseToken answers 401, or 503 or 500 if it is not the token's fault: signing in again would be to no avail.
//
// https://www.rfc-editor.org/rfc/rfc6750#section-3
func refuseToken(w http.ResponseWriter, refusal *Error) {
	status, challenge := http.StatusUnauthorized, `Bearer error="invalid_token"`
	switch refusal.Reason {
	case KeysUnavailable:
		w.Header().Set("Retry-After", retryAfter)
		status, challenge = http.StatusServiceUnavailable, ""
	case Unverified:
		status, challenge = http.StatusInternalServerError, ""
	case Missing:
		challenge = "Bearer"
	}
	if challenge != "" {
		w.Header().Set("WWW-Authenticate", challenge)
	}
	writeProblem(w, status, unauthorized{newProblem(status, sentences[refusal.Reason]), refusal.Reason})
}

func (f forbidden) write(w http.ResponseWriter) { writeProblem(w, f.Status, f) }

func writeProblem(w http.ResponseWriter, status int, problem any) {
	body, err := json.Marshal(problem)
	if err != nil {
		panic(fmt.Sprintf("claims: %v", err)) // strings, numbers and times always have a JSON
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client is the only one who could be told
}
