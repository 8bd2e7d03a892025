package clerktest

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// takeFor reads what follows "for": 60s, 30 % or org_1.
func (l *scriptLine) takeFor() error {
	word, err := l.next()
	if err != nil {
		return err
	}
	if lasts, err := time.ParseDuration(word); err == nil && lasts > 0 {
		l.fault.For = lasts
		return l.once("for a time")
	}
	if strings.HasPrefix(word, "org_") {
		l.fault.Organization = word
		return l.once("for an organization")
	}
	number, percent := strings.CutSuffix(word, "%")
	if share, err := strconv.ParseFloat(number, 64); err == nil && (percent || l.follows("%")) {
		return l.takeShare(share)
	}
	return fmt.Errorf("needs a duration as 60s after it, a share as 30 %%, or an organization as org_1, not %q", word)
}

func (l *scriptLine) takeShare(percent float64) error {
	if !(percent > 0 && percent <= 100) { // written so that NaN is refused
		return errors.New("the share must be more than 0 % and at most 100 %")
	}
	if percent < 100 {
		l.fault.Probability = percent / 100
	}
	return l.once("for a share")
}

func (l *scriptLine) takeReset() error {
	switch {
	case l.follows("before"):
		return l.effect(ResetBefore)
	case l.follows("after"):
		return l.effect(ResetAfter)
	}
	return errors.New("needs to be reset before or reset after: has the request been applied then?")
}

// takeNumber tells "3 times" from the status 503.
func (l *scriptLine) takeNumber(number int) error {
	if !l.follows("times", "time") {
		l.fault.Effect, l.fault.Status = Answer, number
		return l.onlyEffect()
	}
	if number < 1 {
		return errors.New("must be at least once")
	}
	l.fault.Count = number
	return l.once("times")
}

func (l *scriptLine) takeHeader() error {
	word, err := l.next()
	if err != nil {
		return err
	}
	name, value, found := strings.Cut(word, ":")
	if !found {
		return fmt.Errorf(`needs a header after it as "Retry-After: soon", not %q`, word)
	}
	if l.fault.Header == nil {
		l.fault.Header = map[string]string{}
	}
	l.fault.Header[http.CanonicalHeaderKey(strings.TrimSpace(name))] = strings.TrimSpace(value)
	return nil
}
