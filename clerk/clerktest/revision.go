package clerktest

import (
	"bytes"
	"encoding/json"
	"time"
)

// revision is a state that an organization's public metadata had from some time on, for tokens with stale claims.
type revision struct {
	organization string
	since        time.Time
	public       json.RawMessage
}

// revised notes a change of the public metadata, if there is one. The caller holds the lock, here and below.
func (s *Server) revised(o Organization) {
	old, known := s.organizations[o.ID]
	if !known || !bytes.Equal(old.PublicMetadata, o.PublicMetadata) {
		s.revisions.add(revision{o.ID, time.Now(), o.PublicMetadata})
	}
}

// metadataAt returns the public metadata as it was at a time, or so many changes before that. If that is before all that
// is remembered, it is the oldest.
func (s *Server) metadataAt(o Organization, at time.Time, changesAgo int) json.RawMessage {
	var past []revision
	for _, r := range s.revisions.latest() {
		if r.organization != o.ID {
			continue
		}
		if r.since.After(at) && len(past) > 0 {
			break
		}
		past = append(past, r)
	}
	if len(past) == 0 { // forgotten, for HistoryLimit
		return o.PublicMetadata
	}
	return past[max(0, len(past)-1-changesAgo)].public
}
