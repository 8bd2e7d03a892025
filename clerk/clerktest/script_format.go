package clerktest

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// String returns the fault as a line that ParseScript reads, if it is one that a script can say.
func (f Fault) String() string {
	parts := []string{f.what()}
	if f.Latency > 0 {
		parts = append(parts, "latency "+durationText(f.Latency))
	}
	if f.Probability > 0 {
		parts = append(parts, "for "+strconv.FormatFloat(f.Probability*100, 'g', 12, 64)+" %")
	}
	if f.Organization != "" {
		parts = append(parts, "for "+asWord(f.Organization))
	}
	if f.Method != "" {
		parts = append(parts, "on "+asWord(f.Method))
	}
	if f.Count > 0 {
		parts = append(parts, strconv.Itoa(f.Count)+" times")
	}
	return f.when() + strings.TrimSpace(strings.Join(parts, " "))
}

func (f Fault) when() string {
	var parts []string
	if f.At > 0 {
		parts = append(parts, "at "+durationText(f.At))
	}
	if f.For > 0 {
		parts = append(parts, "for "+durationText(f.For))
	}
	if parts == nil {
		return ""
	}
	return strings.Join(parts, " ") + ": "
}

func (f Fault) what() string {
	switch f.Effect {
	case Answer:
		return strconv.Itoa(f.Status) + f.answerParts()
	case ResetBefore:
		return "reset before"
	case ResetAfter:
		return "reset after"
	case Late:
		return "late " + durationText(f.Delay)
	default:
		return string(f.Effect)
	}
}

func (f Fault) answerParts() string {
	var b strings.Builder
	if f.RetryAfter > 0 {
		b.WriteString(" retry-after " + durationText(f.RetryAfter))
	}
	if f.Block {
		b.WriteString(" block")
	}
	for _, name := range slices.Sorted(maps.Keys(f.Header)) {
		b.WriteString(" header " + strconv.Quote(name+": "+f.Header[name]))
	}
	if f.Body != "" {
		b.WriteString(" body " + strconv.Quote(f.Body))
	}
	return b.String()
}

// asWord quotes what would not be read as one word, would end the line, or could not be seen.
func asWord(text string) string {
	separates := func(r rune) bool {
		return r == '"' || r == ':' || unicode.IsSpace(r) || !unicode.IsPrint(r)
	}
	if strings.ContainsFunc(text, separates) {
		return strconv.Quote(text)
	}
	return text
}

// durationText writes 1m, not 1m0s.
func durationText(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}
