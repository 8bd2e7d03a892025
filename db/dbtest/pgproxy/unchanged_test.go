package pgproxy

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"testing"

	"pgregory.net/rapid"
)

// TestAnyTrafficIsUnchanged sends random messages both ways, split at random.
func TestAnyTrafficIsUnchanged(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		s := newScript(t)
		s.proxy.Count(".")
		s.proxy.BreakBefore("never")
		requests := append(encode(t, startup), messages(r, "client", "BCDEFHPQSXcdfp")...)
		answers := messages(r, "server", "1234ACDEGHIKNRSTVWZcdnst")
		requestSizes, answerSizes := chunks(r, "client"), chunks(r, "server")
		sent := async(func() error { return trickle(s.client, requests, requestSizes) })
		answered := async(func() error { return trickle(s.server, answers, answerSizes) })
		received := make(chan []byte, 1)
		go func() {
			got, _ := io.ReadAll(s.client)
			received <- got
		}()
		if got, err := io.ReadAll(s.server); !bytes.Equal(got, requests) {
			r.Errorf("%d bytes of %d reached the server, or others: %v", len(got), len(requests), err)
		}
		if got := <-received; !bytes.Equal(got, answers) {
			r.Errorf("%d bytes of %d reached the client, or others", len(got), len(answers))
		}
		for _, err := range []error{<-sent, <-answered, s.close()} {
			if err != nil {
				r.Error(err)
			}
		}
	})
}

func messages(r *rapid.T, side, kinds string) []byte {
	sizes := rapid.OneOf(rapid.IntRange(0, 40), rapid.IntRange(0, 3*bufferSize))
	var all []byte
	for range rapid.IntRange(0, 12).Draw(r, side+" messages") {
		all = append(all, rapid.SampledFrom([]byte(kinds)).Draw(r, "kind"))
		body := bytes.Repeat(rapid.SliceOfN(rapid.Byte(), 1, 8).Draw(r, "body"), sizes.Draw(r, "size"))
		all = binary.BigEndian.AppendUint32(all, uint32(4+len(body)))
		all = append(all, body...)
	}
	return all
}

func chunks(r *rapid.T, side string) []int {
	return rapid.SliceOfN(rapid.OneOf(rapid.IntRange(1, 20), rapid.IntRange(1, 2*bufferSize)), 1, 20).Draw(r, side+" chunks")
}

// trickle writes in pieces, the last of which is the rest, and ends that direction.
func trickle(conn net.Conn, all []byte, sizes []int) error {
	for _, size := range sizes {
		piece := all[:min(size, len(all))]
		if _, err := conn.Write(piece); err != nil {
			return err
		}
		all = all[len(piece):]
	}
	if _, err := conn.Write(all); err != nil {
		return err
	}
	return conn.(*net.TCPConn).CloseWrite()
}
