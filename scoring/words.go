package scoring

import (
	"fmt"
	"strconv"
	"strings"
)

// words are the members of a closed set, in the order of their values, which start at 1: the zero value of every set
// means "not given", so that a member missing from the input can be told from the first word of its set.
type words[E ~uint8] struct {
	noun  string
	names []string
}

func (w words[E]) valid(e E) bool { return e >= 1 && int(e) <= len(w.names) }

func (w words[E]) name(e E) string {
	if !w.valid(e) {
		return fmt.Sprintf("invalid %s %d", w.noun, e)
	}
	return w.names[e-1]
}

func (w words[E]) marshal(e E) ([]byte, error) {
	if !w.valid(e) {
		return nil, fmt.Errorf("scoring: invalid %s %d", w.noun, e)
	}
	return []byte(w.names[e-1]), nil
}

func (w words[E]) unmarshal(e *E, text []byte) error {
	for i, name := range w.names {
		if name == string(text) {
			*e = E(i + 1)
			return nil
		}
	}
	return fmt.Errorf("unknown %s %s, must be one of %s", w.noun, quote(string(text)), strings.Join(w.names, ", "))
}

// all lists the set in its order.
func (w words[E]) all() []E {
	values := make([]E, len(w.names))
	for i := range values {
		values[i] = E(i + 1)
	}
	return values
}

// quote quotes text of the input for a message.
func quote(text string) string { return strconv.Quote(shorten(text)) }

// shorten cuts text of the input, which may be of any length, to what fits in a message.
func shorten(text string) string {
	const longest = 64
	runes := 0
	for i := range text {
		if runes == longest {
			return text[:i] + "…"
		}
		runes++
	}
	return text
}
