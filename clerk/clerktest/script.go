package clerktest

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ParseScript reads faults in the notation for people: one fault per line, for instance
//
//	# an outage, and a slow morning after it
//	at 10s for 60s: 503 for 100 %
//	at 70s for 5m: latency 300ms
//	late 60s for org_1 on PATCH once
//	at 2m: 429 retry-after 7s block 1 times
//
// A line is empty, a comment after #, or made of these parts in any order, but at most one effect:
//
//	at 10s                 when it begins, measured from now; else at once
//	for 60s                how long it lasts; else until cleared
//	for 30 %               the share of the requests that it hits; else all
//	for org_1              only that organization
//	on PATCH               only that method
//	3 times, once          how many requests it hits; else all
//	latency 300ms          waited first, alone or before an effect
//
//	503                    effect: answers with the status, nothing is applied
//	hang                   effect: neither answers nor applies
//	reset before           effect: resets the connection, nothing is applied
//	reset after            effect: applies, then resets the connection
//	truncate               effect: applies, then breaks off in the middle of the 200
//	late 60s               effect: does not answer, and applies when the time has passed
//	empty_ok, null_ok, errors_ok
//	                       effect: 200 with no body, null, or errors; nothing is applied
//
//	retry-after 7s         of a status: that header
//	block                  of 429: no request passes until the retry-after has passed
//	header "Name: value"   of a status: another header
//	body "text"            of a status: another body
//
// Durations are Go's, as 1.5s or 2m. A word with blanks in it is quoted as in Go. Colons between the parts are left to
// taste. The error names every line that is wrong, and the word.
func ParseScript(script string) ([]Fault, error) {
	faults := []Fault{}
	var wrong []error
	for i, text := range strings.Split(script, "\n") {
		text = strings.TrimSpace(text)
		if text == "" || text[0] == '#' {
			continue
		}
		fault, err := parseFault(text)
		if err != nil {
			wrong = append(wrong, fmt.Errorf("line %d: %w", i+1, err))
		}
		faults = append(faults, fault)
	}
	return faults, errors.Join(wrong...)
}

// scriptLine is a line that is being read.
type scriptLine struct {
	rest  string
	given []string // the parts so far
	fault Fault
}

func parseFault(text string) (Fault, error) {
	line := scriptLine{rest: text}
	for {
		word, err := line.next()
		if err != nil {
			return Fault{}, err
		}
		if word == "" {
			return line.fault, line.fault.Check()
		}
		if err := line.take(word); err != nil {
			return Fault{}, fmt.Errorf("%q: %w", word, err)
		}
	}
}

// next takes a word off the line; "" at its end.
func (l *scriptLine) next() (string, error) {
	l.rest = strings.TrimLeft(l.rest, " \t:")
	if strings.HasPrefix(l.rest, `"`) {
		quoted, err := strconv.QuotedPrefix(l.rest)
		if err != nil {
			return "", fmt.Errorf("%s: the quotation does not end, or has a wrong escape", l.rest)
		}
		l.rest = l.rest[len(quoted):]
		if quoted == `""` {
			return "", errors.New(`"" stands for nothing`)
		}
		return strconv.Unquote(quoted)
	}
	end := strings.IndexAny(l.rest+" ", " \t")
	word := l.rest[:end]
	l.rest = l.rest[end:]
	return strings.TrimRight(word, ":"), nil
}

// follows takes the word off the line if it is the next.
func (l *scriptLine) follows(words ...string) bool {
	before := l.rest
	if word, err := l.next(); err == nil && slices.Contains(words, word) {
		return true
	}
	l.rest = before
	return false
}

// take reads the part of the line that begins with the word.
func (l *scriptLine) take(word string) error {
	f := &l.fault
	switch word {
	case "at":
		return l.duration(word, &f.At)
	case "for":
		return l.takeFor()
	case "latency":
		return l.duration(word, &f.Latency)
	case "retry-after":
		return l.duration(word, &f.RetryAfter)
	case "on":
		return l.text(word, &f.Method)
	case "body":
		return l.text(word, &f.Body)
	case "header":
		return l.takeHeader()
	case "block":
		f.Block = true
		return l.once(word)
	case "once":
		f.Count = 1
		return l.once("times")
	case "late":
		return cmp.Or(l.effect(Late), l.duration(word, &f.Delay))
	case "reset":
		return l.takeReset()
	}
	if number, err := strconv.Atoi(word); err == nil {
		return l.takeNumber(number)
	}
	return l.effect(Effect(word))
}

// once notes a part, which may not come again.
func (l *scriptLine) once(part string) error {
	if slices.Contains(l.given, part) {
		return errors.New("is there twice")
	}
	l.given = append(l.given, part)
	return nil
}

func (l *scriptLine) effect(effect Effect) error {
	if !slices.Contains(effects, effect) || effect == Answer {
		return errors.New("begins no part of a fault; the parts are at, for, on, times, once, latency, a status as 503, " +
			"hang, reset, truncate, late, empty_ok, null_ok, errors_ok, retry-after, block, header and body")
	}
	l.fault.Effect = effect
	return l.onlyEffect()
}

func (l *scriptLine) onlyEffect() error {
	if l.once("effect") != nil {
		return errors.New("the line has an effect already; put this one on a line of its own")
	}
	return nil
}

func (l *scriptLine) text(part string, target *string) error {
	word, err := l.next()
	if err == nil && word == "" {
		err = errors.New("needs a word after it")
	}
	*target = word
	return errors.Join(err, l.once(part))
}

func (l *scriptLine) duration(part string, target *time.Duration) error {
	word, err := l.next()
	if err != nil {
		return err
	}
	mayBeZero := part == "at" || part == "late"
	if *target, err = time.ParseDuration(word); err != nil || *target < 0 || *target == 0 && !mayBeZero {
		return fmt.Errorf("needs a duration after it as 1.5s, not %q", word)
	}
	return l.once(part)
}
