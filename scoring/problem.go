package scoring

import (
	"errors"
	"fmt"
	"strings"
)

// Problem is one thing wrong with the input.
type Problem struct {
	Field   string `json:"field"` // such as "now" or "documents[3].status"; empty for the input as a whole
	Message string `json:"message"`
}

func (p Problem) String() string {
	if p.Field == "" {
		return p.Message
	}
	return p.Field + ": " + p.Message
}

// Problems is well-formed input that cannot be accepted.
type Problems []Problem

func (ps Problems) Error() string {
	texts := make([]string, len(ps))
	for i, p := range ps {
		texts[i] = p.String()
	}
	return strings.Join(texts, "; ")
}

// Err returns nil where there are no problems: Problems(nil) in an error would not be nil.
func (ps Problems) Err() error {
	if len(ps) == 0 {
		return nil
	}
	return ps
}

func (ps *Problems) add(field, format string, args ...any) {
	*ps = append(*ps, Problem{field, fmt.Sprintf(format, args...)})
}

// MalformedError is input that is not JSON at all.
type MalformedError struct {
	Offset int64 // of the first byte that cannot be read
	Reason string
}

func (e *MalformedError) Error() string {
	return fmt.Sprintf("malformed JSON at byte %d: %s", e.Offset, e.Reason)
}

var (
	errAbsent = errors.New("is required")
	errNull   = errors.New("must not be null")
	errYear   = errors.New("must be in the years 1 to 9999")
)
