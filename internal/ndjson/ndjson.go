// Package ndjson reads newline-delimited JSON one line at a time, in memory bounded by the longest line allowed.
package ndjson

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
)

// ErrTooLong is the error of a line that is longer than allowed. Reading goes on after it.
var ErrTooLong = errors.New("line is too long")

// Line is one line of the input without its end.
type Line struct {
	Number int    // from 1, counting blank lines too, as an editor does
	Text   []byte // valid until the next line is read
}

// Lines yields the lines of r that are not blank. The last needs no newline, and a carriage return before a newline or
// a byte order mark before the first line is not part of the line.
//
// An error comes with the number of its line. After [ErrTooLong], for a line of more than maxBytes, reading goes on;
// any other error is of r and ends the lines.
func Lines(r io.Reader, maxBytes int) iter.Seq2[Line, error] {
	return func(yield func(Line, error) bool) {
		s := scanner{src: bufio.NewReaderSize(r, 64<<10), maxBytes: maxBytes}
		for number := 1; ; number++ {
			text, err := s.next()
			switch {
			case err == io.EOF:
				return
			case err != nil:
				if !yield(Line{Number: number}, err) || !errors.Is(err, ErrTooLong) {
					return
				}
				continue
			}
			if number == 1 {
				text = bytes.TrimPrefix(text, []byte("\uFEFF"))
			}
			if len(bytes.TrimSpace(text)) == 0 {
				continue
			}
			if !yield(Line{number, text}, nil) {
				return
			}
		}
	}
}

type scanner struct {
	src      *bufio.Reader
	line     []byte // reused
	maxBytes int
}

// next returns the next line without its end, or io.EOF after the last.
func (s *scanner) next() ([]byte, error) {
	s.line = s.line[:0]
	length := 0 // of the line, which s.line holds only as far as it may be long
	for {
		chunk, err := s.src.ReadSlice('\n')
		length += len(chunk)
		if length <= s.maxBytes+len("\r\n") {
			s.line = append(s.line, chunk...)
		}
		switch {
		case err == bufio.ErrBufferFull:
			continue
		case err == io.EOF && length > 0, err == nil:
			return s.trimmed(length)
		default:
			return nil, err
		}
	}
}

func (s *scanner) trimmed(length int) ([]byte, error) {
	if length <= s.maxBytes+len("\r\n") {
		text := bytes.TrimSuffix(bytes.TrimSuffix(s.line, []byte("\n")), []byte("\r"))
		if len(text) <= s.maxBytes {
			return text, nil
		}
	}
	return nil, fmt.Errorf("%w: more than %d bytes", ErrTooLong, s.maxBytes)
}
