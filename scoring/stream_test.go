package scoring

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"syscall"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"
)

// snapshotScoring is a line whose result tells the lines apart: n overdue corrective actions.
func snapshotScoring(n int) string {
	actions := strings.TrimSuffix(strings.Repeat(`{"status":"OVERDUE"},`, n), ",")
	return snapshotWith(`"capa_records":[` + actions + `]`)
}

func stream(t *testing.T, input string) (scored []int, bad []string) {
	t.Helper()
	var out bytes.Buffer
	err := Stream(t.Context(), strings.NewReader(input), &out, func(err *LineError) { bad = append(bad, err.Error()) })
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(out.String()) {
		var r Result
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatalf("%v in %q", err, line)
		}
		scored = append(scored, r.Breakdown.Audit.Details.OverdueCAPACount)
	}
	return scored, bad
}

func TestStream(t *testing.T) {
	t.Parallel()
	input := snapshotScoring(1) + "\r\n\n" +
		snapshotWith(`"capa_records":[{"status":"LATE"}]`) + "\n" +
		snapshotScoring(2) + "\n" +
		"{}\n" +
		"{\n" +
		`{"x":"` + strings.Repeat("y", MaxLineBytes) + "\"}\n" +
		snapshotScoring(3)
	scored, bad := stream(t, input)
	if diff := cmp.Diff([]int{1, 2, 3}, scored); diff != "" {
		t.Errorf("scored (-want +got):\n%s", diff)
	}
	wantBad := []string{
		`line 3: capa_records[0].status: unknown CAPA status "LATE", ` +
			"must be one of OPEN, IN_PROGRESS, PENDING_VERIFICATION, CLOSED, OVERDUE",
		"line 5: now: is required; certification_tier: is required",
		"line 6: malformed JSON at byte 1: unexpected end",
		fmt.Sprintf("line 7: line is too long: more than %d bytes", MaxLineBytes),
	}
	if diff := cmp.Diff(wantBad, bad); diff != "" {
		t.Errorf("bad (-want +got):\n%s", diff)
	}
}

func TestStreamKeepsOrder(t *testing.T) {
	t.Parallel()
	var input strings.Builder
	var want []int
	for i := range 500 {
		input.WriteString(snapshotScoring(i*7%50) + "\n") // short and long lines, which take a different time
		want = append(want, i*7%50)
	}
	scored, bad := stream(t, input.String())
	if diff := cmp.Diff(want, scored); diff != "" || bad != nil {
		t.Errorf("(-want +got):\n%s\nbad: %v", diff, bad)
	}
}

func TestStreamEmpty(t *testing.T) {
	t.Parallel()
	if scored, bad := stream(t, "\n\n"); scored != nil || bad != nil {
		t.Errorf("got %v, %v", scored, bad)
	}
}

// A program that sends a line and waits for the answer must get it.
func TestStreamAnswersEachLine(t *testing.T) {
	t.Parallel()
	in, feed := io.Pipe()
	answers, out := io.Pipe()
	done := make(chan error, 1)
	go func() { done <- Stream(t.Context(), in, out, func(*LineError) {}) }()

	buffer := make([]byte, 64<<10)
	for i := range 3 {
		fmt.Fprintln(feed, snapshotScoring(i))
		if n, err := answers.Read(buffer); err != nil || !bytes.HasSuffix(buffer[:n], []byte("}\n")) {
			t.Fatalf("line %d: answer %q, %v", i+1, buffer[:n], err)
		}
	}
	feed.Close()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

type failingWriter struct{ err error }

func (w failingWriter) Write([]byte) (int, error) { return 0, w.err }

func TestStreamReturnsFailures(t *testing.T) {
	t.Parallel()
	endless, stop := io.Pipe()
	t.Cleanup(func() { endless.Close(); stop.Close() })
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	failure := errors.New("disk on fire")
	tests := []struct {
		name string
		ctx  context.Context
		in   io.Reader
		out  io.Writer
		want error
	}{
		{"writing, while reading blocks", t.Context(), io.MultiReader(strings.NewReader(snapshotScoring(1)+"\n"), endless),
			failingWriter{syscall.EPIPE}, syscall.EPIPE},
		{"reading", t.Context(), io.MultiReader(strings.NewReader(snapshotScoring(1)), failingReader{failure}),
			io.Discard, failure},
		{"cancelled, while reading blocks", cancelled, endless, io.Discard, context.Canceled},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			err := Stream(test.ctx, test.in, test.out, func(err *LineError) { t.Errorf("bad line: %v", err) })
			if !errors.Is(err, test.want) {
				t.Errorf("got %v, want %v", err, test.want)
			}
		})
	}
}

type failingReader struct{ err error }

func (r failingReader) Read([]byte) (int, error) { return 0, r.err }
