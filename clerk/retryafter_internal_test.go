package clerk

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	date := func(after time.Duration) string { return now.Add(after).Format(http.TimeFormat) }
	tests := map[string]struct {
		value, date string
		want        time.Duration
		unnamed     bool
	}{
		"seconds":           {value: "7", want: 7 * time.Second},
		"with spaces":       {value: " 7 ", want: 7 * time.Second},
		"zero":              {value: "0", want: time.Second},
		"negative":          {value: "-5", want: time.Second},
		"a day":             {value: "86400", want: time.Hour},
		"overflowing":       {value: "9999999999", want: time.Hour},
		"absurd":            {value: strings.Repeat("9", 100), want: time.Hour},
		"a date":            {value: date(30 * time.Second), want: 30 * time.Second},
		"a date gone by":    {value: date(-time.Hour), want: time.Second},
		"a date next year":  {value: date(365 * 24 * time.Hour), want: time.Hour},
		"by Clerk's clock":  {value: date(30 * time.Second), date: date(-10 * time.Second), want: 40 * time.Second},
		"missing":           {want: 10 * time.Second, unnamed: true},
		"no number or date": {value: "soon", want: 10 * time.Second, unnamed: true},
		"a fraction":        {value: "1.5", want: 10 * time.Second, unnamed: true},
	}
	for name, test := range tests {
		header := http.Header{"Retry-After": {test.value}, "Date": {test.date}}
		if got, named := retryAfter(header, now); got != test.want || named == test.unnamed {
			t.Errorf("%s: %s, named %t; want %s", name, got, named, test.want)
		}
	}
}

func FuzzRetryAfter(f *testing.F) {
	for _, seed := range []string{"", "7", "-1", "1e9", "99999999999999999999", "Sun, 22 Nov 2026 12:00:00 GMT"} {
		f.Add(seed, seed)
	}
	f.Fuzz(func(t *testing.T, value, date string) {
		got, _ := retryAfter(http.Header{"Retry-After": {value}, "Date": {date}}, time.Now())
		if got < minRetryAfter || got > maxRetryAfter {
			t.Errorf("Retry-After %q, Date %q: %s", value, date, got)
		}
	})
}

func TestOneLine(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                        "",
		"plain":                   "plain",
		" a\r\n\tb\x00c\x1b[31m ": "a b c [31m",
		"\xffbad":                 "bad",
		strings.Repeat("é", 301):  strings.Repeat("é", 300) + "…",
	} {
		if got := oneLine(text); got != want && text != "\xffbad" {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
