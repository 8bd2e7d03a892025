package scoring

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"

	"github.com/go-json-experiment/json"

	"github.com/claimsync/claimsync/internal/ndjson"
)

// MaxLineBytes is the longest line that [Stream] reads, which is several thousand documents long.
const MaxLineBytes = 4 << 20

// LineError is a line of the input that could not be scored.
type LineError struct {
	Line int // from 1
	Err  error
}

func (e *LineError) Error() string { return fmt.Sprintf("line %d: %v", e.Line, e.Err) }

func (e *LineError) Unwrap() error { return e.Err }

// Stream scores snapshots as newline-delimited JSON: it writes the result of each line of r to w, in order and in
// constant memory. A line that cannot be scored goes to bad instead, also in order and on the calling goroutine, and the
// stream goes on.
//
// The error is one of reading, of writing, or of ctx. Stream then returns at once, but r remains in use until the
// reading under way comes back.
func Stream(ctx context.Context, r io.Reader, w io.Writer, bad func(*LineError)) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()

	// Each line is scored on a goroutine of its own and answers in its own slot; the slots are queued in the order of
	// the lines. The queue's capacity bounds how many lines are in memory.
	slots := make(chan chan scoredLine, 2*runtime.GOMAXPROCS(0))
	read := make(chan error, 1)
	go func() {
		defer close(slots)
		read <- scoreLines(ctx, r, slots)
	}()
	if err := writeLines(ctx, w, slots, bad); err != nil {
		return err
	}
	return <-read
}

// scoredLine is the answer to one line: a result as JSON, or an error.
type scoredLine struct {
	number int
	result []byte
	err    error
}

func scoreLines(ctx context.Context, r io.Reader, slots chan<- chan scoredLine) error {
	for line, err := range ndjson.Lines(r, MaxLineBytes) {
		if err != nil && !errors.Is(err, ndjson.ErrTooLong) {
			return fmt.Errorf("reading line %d: %w", line.Number, err)
		}
		slot := make(chan scoredLine, 1)
		select {
		case slots <- slot:
		case <-ctx.Done():
			return ctx.Err()
		}
		if err != nil {
			slot <- scoredLine{number: line.Number, err: err}
			continue
		}
		text := bytes.Clone(line.Text)
		go func() {
			result, err := scoreLine(text)
			slot <- scoredLine{line.Number, result, err}
		}()
	}
	return nil
}

func scoreLine(text []byte) ([]byte, error) {
	snapshot, err := DecodeSnapshot(text)
	if err != nil {
		return nil, err
	}
	result := snapshot.Calculate()
	return json.Marshal(&result)
}

func writeLines(ctx context.Context, w io.Writer, slots <-chan chan scoredLine, bad func(*LineError)) error {
	out := bufio.NewWriterSize(w, 64<<10)
	for {
		var line scoredLine
		select {
		case slot, more := <-slots:
			if !more {
				return out.Flush()
			}
			line = <-slot
		case <-ctx.Done():
			return ctx.Err()
		}
		if line.err != nil {
			bad(&LineError{line.number, line.err})
		} else if _, err := out.Write(append(line.result, '\n')); err != nil {
			return err
		}
		// Nothing is waiting: whoever feeds lines one by one sees each answer before sending the next line.
		if len(slots) == 0 {
			if err := out.Flush(); err != nil {
				return err
			}
		}
	}
}
