package web

import (
	"fmt"
	"net/http"

	"github.com/go-json-experiment/json"

	"github.com/claimsync/claimsync/scoring"
)

// maxListed bounds the fields listed in one problem: a body of a megabyte has room for a hundred thousand faults.
const maxListed = 100

// problem is the answer to a request that is refused (RFC 9457). Its type is about:blank, the default: the status says
// what happened, and errors which fields are to blame. It is also an error, for an endpoint to return.
type problem struct {
	Title  string            `json:"title"`
	Status int               `json:"status"`
	Detail string            `json:"detail,omitzero"`
	Errors []scoring.Problem `json:"errors,omitempty"`
}

func (p *problem) Error() string { return fmt.Sprintf("%s: %s", p.Title, p.Detail) }

func newProblem(status int, detail string, fields ...scoring.Problem) *problem {
	if total := len(fields); total > maxListed {
		fields = fields[:maxListed]
		detail += fmt.Sprintf(" The first %d of %d faults are listed.", maxListed, total)
	}
	return &problem{Title: http.StatusText(status), Status: status, Detail: detail, Errors: fields}
}

// invalidParameter refuses a parameter of the query string.
func invalidParameter(name, format string, args ...any) *problem {
	return newProblem(http.StatusBadRequest, "The query string cannot be accepted.",
		scoring.Problem{Field: name, Message: fmt.Sprintf(format, args...)})
}

func (p *problem) write(w http.ResponseWriter) {
	body, err := json.Marshal(p)
	if err != nil {
		panic(err) // strings and numbers only
	}
	w.Header().Set("Content-Type", "application/problem+json")
	if p.Status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", retryAfter)
	}
	w.WriteHeader(p.Status)
	_, _ = w.Write(body) // the client is the only one who could be told
}
