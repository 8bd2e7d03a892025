package clerktest

import (
	"encoding/json"
	"slices"
	"time"
)

// Request is one request to the API, in the order of arrival. Requests to the control API are not among them.
type Request struct {
	Seq int64 `json:"seq"`
	// Started is when it had been read.
	Started time.Time `json:"started"`
	// Finished is when its answer began to go out, its connection was reset, or its client was seen to have gone. Zero
	// while it is in flight. It is never later than what the client sees.
	Finished     time.Time `json:"finished,omitzero"`
	Method       string    `json:"method"`
	Path         string    `json:"path"`
	Organization string    `json:"organization,omitempty"` // the ID or slug in the path
	BodyBytes    int       `json:"body_bytes"`
	Status       int       `json:"status"`            // 0 if it was not answered
	Fault        Effect    `json:"fault,omitempty"`   // what hit it
	Delayed      bool      `json:"delayed,omitempty"` // a fault's latency came first
	Limited      Limited   `json:"limited,omitempty"`
	// InBlock, of a request that was Limited, is whether it arrived inside a block. Else it is the one that exceeded the
	// limit and so caused the block (competing traffic can be that, too).
	InBlock bool `json:"in_block,omitempty"`
	// BlockedUntil, of a request that was Limited, is when that block ends. It tells the blocks apart.
	BlockedUntil time.Time `json:"blocked_until,omitzero"`
}

// Limited names the rate limit that refused a request.
type Limited string

// The rate limits; a request that was not refused by one has an empty Limited. A fault with Block counts as one.
const (
	LimitedInstance     Limited = "instance"
	LimitedOrganization Limited = "organization"
)

// Write is one applied write of an organization's metadata, in the order of application.
type Write struct {
	Seq             int64           `json:"seq"`
	Request         int64           `json:"request"` // Request.Seq
	Organization    string          `json:"organization"`
	Method          string          `json:"method"`
	PublicMetadata  json.RawMessage `json:"public_metadata"`  // after the write
	PrivateMetadata json.RawMessage `json:"private_metadata"` // after the write
	// Version is the stamp private_metadata.claimsync.version after the write; 0 if there is none.
	Version int64     `json:"version"`
	Started time.Time `json:"started"` // when its request had been read
	Applied time.Time `json:"applied"`
	Late    bool      `json:"late"` // the effect Late: long after its request
}

// history keeps the latest entries, or all if limit is 0.
type history[T any] struct {
	limit   int
	entries []T
}

func (h *history[T]) add(entry T) {
	h.entries = append(h.entries, entry)
	if h.limit > 0 && len(h.entries) >= 2*h.limit {
		h.entries = slices.Clone(h.latest())
	}
}

func (h *history[T]) latest() []T {
	if h.limit <= 0 {
		return h.entries
	}
	return h.entries[max(0, len(h.entries)-h.limit):]
}

// Requests returns the requests so far, those in flight included.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	latest := s.requests.latest()
	requests := make([]Request, len(latest))
	for i, r := range latest {
		requests[i] = *r
	}
	return requests
}

// Writes returns the applied writes so far.
func (s *Server) Writes() []Write {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.writes.latest())
}

// wrote notes an applied write. The caller holds the lock.
func (s *Server) wrote(c *call, o Organization) {
	s.writeSeq++
	s.writes.add(Write{
		Seq: s.writeSeq, Request: c.entry.Seq, Organization: o.ID, Method: c.request.Method,
		PublicMetadata: o.PublicMetadata, PrivateMetadata: o.PrivateMetadata, Version: versionStamp(o.PrivateMetadata),
		Started: c.entry.Started, Applied: time.Now(), Late: c.late,
	})
	s.notify()
}

func versionStamp(private json.RawMessage) int64 {
	var stamped struct {
		Claimsync struct {
			Version int64 `json:"version"`
		} `json:"claimsync"`
	}
	_ = json.Unmarshal(private, &stamped) // others may put there what they like
	return stamped.Claimsync.Version
}
