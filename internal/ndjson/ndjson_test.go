package ndjson_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/claimsync/claimsync/internal/ndjson"
)

func collect(r io.Reader, maxBytes int) (got []string) {
	for line, err := range ndjson.Lines(r, maxBytes) {
		if err != nil {
			got = append(got, fmt.Sprintf("%d! %v", line.Number, err))
			continue
		}
		got = append(got, fmt.Sprintf("%d %s", line.Number, line.Text))
	}
	return got
}

func TestLines(t *testing.T) {
	t.Parallel()
	const tooLong = "line is too long: more than 4 bytes"
	tests := []struct {
		name, input string
		want        []string
	}{
		{"empty", "", nil},
		{"only a newline", "\n", nil},
		{"final newline", "a\nb\n", []string{"1 a", "2 b"}},
		{"no final newline", "a\nb", []string{"1 a", "2 b"}},
		{"carriage returns", "a\r\nb\r\n", []string{"1 a", "2 b"}},
		{"blank lines count", "\n \t\na\n\r\nb", []string{"3 a", "5 b"}},
		{"byte order mark", "\uFEFFa\n\uFEFF", []string{"1 a", "2 \uFEFF"}},
		{"longest", "1234\n1234\r\n1234", []string{"1 1234", "2 1234", "3 1234"}},
		{"too long", "a\n12345\nb\n", []string{"1 a", "2! " + tooLong, "3 b"}},
		{"too long at the end", "a\n123456789", []string{"1 a", "2! " + tooLong}},
		{"spaces are part of the line", " a \n", []string{"1  a "}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(test.want, collect(strings.NewReader(test.input), 4)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			oneByte := iotest.OneByteReader(strings.NewReader(test.input))
			if diff := cmp.Diff(test.want, collect(oneByte, 4)); diff != "" {
				t.Errorf("byte by byte (-want +got):\n%s", diff)
			}
		})
	}
}

func TestLinesBeyondTheBuffer(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 300<<10)
	got := collect(strings.NewReader(long+"\n"+long+"y\nz"), len(long))
	want := []string{"1 " + long, fmt.Sprintf("2! line is too long: more than %d bytes", len(long)), "3 z"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestLinesReadError(t *testing.T) {
	t.Parallel()
	failure := errors.New("disk on fire")
	r := io.MultiReader(strings.NewReader("a\nhalf"), iotest.ErrReader(failure))
	if diff := cmp.Diff([]string{"1 a", "2! disk on fire"}, collect(r, 100)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestLinesStops(t *testing.T) {
	t.Parallel()
	for range ndjson.Lines(strings.NewReader("a\nb\n"), 4) {
		break
	}
	for range ndjson.Lines(strings.NewReader("12345\nb\n"), 4) {
		break
	}
}
