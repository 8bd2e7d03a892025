package scoring

import (
	"fmt"
	"math"
	"time"
)

// micros is a point in time in microseconds since 1970, which is what the database stores. Integers rather than
// time.Duration, which ends after 292 years while the formats allow the years 1 to 9999.
type micros int64

const (
	microsecond micros = 1
	day                = 24 * 60 * 60 * 1_000_000 * microsecond

	// never is later than every change.
	never micros = math.MaxInt64
)

func microsOf(t time.Time) micros { return micros(t.UnixMicro()) }

// time returns the zero time for never.
func (m micros) time() time.Time {
	if m == never {
		return time.Time{}
	}
	return time.UnixMicro(int64(m)).UTC()
}

// daysUp converts a span to days and rounds up, daysDown rounds down; also below zero.
func (m micros) daysUp() int { return -(-m).daysDown() }

func (m micros) daysDown() int {
	days := m / day
	if m%day < 0 {
		days--
	}
	return int(days)
}

// Timestamp is a time in a [Result]: UTC with milliseconds, and with microseconds only where there are any.
type Timestamp time.Time

// Time returns the time itself.
func (t Timestamp) Time() time.Time { return time.Time(t) }

func (t Timestamp) String() string {
	layout := "2006-01-02T15:04:05.000Z"
	if time.Time(t).Nanosecond()%1_000_000 >= 1_000 {
		layout = "2006-01-02T15:04:05.000000Z"
	}
	return time.Time(t).UTC().Format(layout)
}

// MarshalText gives the same text as String.
func (t Timestamp) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText reads RFC 3339.
func (t *Timestamp) UnmarshalText(text []byte) error {
	parsed, err := parseTime(string(text))
	*t = Timestamp(parsed)
	return err
}

// parseTime reads RFC 3339 and drops what is finer than a microsecond: that is the database's resolution, and a score
// has to be the same before and after its facts are stored.
func parseTime(text string) (time.Time, error) {
	var t time.Time
	if err := t.UnmarshalText([]byte(text)); err != nil {
		return time.Time{}, fmt.Errorf("must be a date and time such as 2026-05-22T14:15:41Z, in the years 1 to 9999, got %s",
			quote(text))
	}
	t = t.UTC().Truncate(time.Microsecond)
	if year := t.Year(); year < 1 || year > 9999 {
		return time.Time{}, errYear
	}
	return t, nil
}
