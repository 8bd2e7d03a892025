package pgproxy

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// bufferSize is how much is forwarded at once, and also how much of a message can be looked at.
const bufferSize = 32 << 10

// headSize is that of a message's kind and length.
const headSize = 5

// maxLength is above what PostgreSQL accepts or sends, and tells when the proxy has lost track of the messages.
const maxLength = 1 << 30

// errNotFollowed wraps what makes the proxy break a connection by itself.
var errNotFollowed = errors.New("connection broken by the proxy")

// message is one that begins at the stream's reading position. Messages are described in
// https://www.postgresql.org/docs/current/protocol-message-formats.html.
type message struct {
	kind byte
	size int // with the head
}

// stream is one direction of a connection: what is copied from in to out arrives in order, and at the latest before the
// stream waits for more. Nothing is taken off in before it can go on, so a message that is looked at can still be
// dropped or held.
type stream struct {
	in  *bufio.Reader
	out *bufio.Writer
}

func newStream(from io.Reader, to io.Writer) *stream {
	out := bufio.NewWriterSize(to, bufferSize)
	return &stream{in: bufio.NewReaderSize(flushing{from, out}, bufferSize), out: out}
}

// flushing reads after it sent on what is there already.
type flushing struct {
	from io.Reader
	out  *bufio.Writer
}

func (f flushing) Read(b []byte) (int, error) {
	if err := f.out.Flush(); err != nil {
		return 0, err
	}
	return f.from.Read(b)
}

// next waits for the head of a message. The error is io.EOF at the end of the stream, also amidst a message.
func (s *stream) next() (message, error) {
	head, err := s.in.Peek(headSize)
	if err != nil {
		return message{}, err
	}
	length := binary.BigEndian.Uint32(head[1:])
	if length < 4 || length > maxLength {
		return message{}, fmt.Errorf("%w: message %q of length %d", errNotFollowed, head[0], length)
	}
	return message{kind: head[0], size: 1 + int(length)}, nil
}

// body returns what follows the head, or the beginning of it. It is valid until the next read.
func (s *stream) body(m message) ([]byte, error) {
	seen, err := s.in.Peek(min(m.size, bufferSize))
	if err != nil {
		return nil, err
	}
	return seen[headSize:], nil
}

// copy moves size bytes to a writer: out, or what holds them back.
//
// It is not io.CopyN because that lets out read from in directly, while in flushes out.
func (s *stream) copy(to io.Writer, size int) error {
	for size > 0 {
		if _, err := s.in.Peek(1); err != nil {
			return err
		}
		chunk, _ := s.in.Peek(min(size, s.in.Buffered())) // no error: it is there
		if _, err := to.Write(chunk); err != nil {
			return err
		}
		_, _ = s.in.Discard(len(chunk))
		size -= len(chunk)
	}
	return nil
}

// cString returns the zero-terminated string at the beginning of b, or all of b if its end is not in sight.
func cString(b []byte) (s string, rest []byte) {
	before, rest, _ := bytes.Cut(b, []byte{0})
	return string(before), rest
}
