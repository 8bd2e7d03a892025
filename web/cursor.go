package web

import (
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/claimsync/claimsync/outbox"
	"github.com/claimsync/claimsync/scoring"
)

// cursor is the last organization of a page, in the order of its listing: by After, which is an id, or by Time and then
// After, a Clerk id.
type cursor struct {
	Sync  outbox.State `json:"sync"` // the listing's filter
	Time  time.Time    `json:"time,omitzero"`
	After string       `json:"after"`
}

// token is the cursor for the outside: opaque, with a checksum that tells damage from another place in the listing.
func (c cursor) token() (string, error) {
	text, err := json.Marshal(c)
	if err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(binary.BigEndian.AppendUint32(text, crc32.ChecksumIEEE(text))), nil
}

// parseCursor refuses what token did not make for this listing.
func parseCursor(token string, sync outbox.State) (cursor, error) {
	if token == "" {
		return cursor{Sync: sync}, nil
	}
	data, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(data) < crc32.Size {
		return cursor{}, errDamagedCursor
	}
	text, sum := data[:len(data)-crc32.Size], data[len(data)-crc32.Size:]
	var c cursor
	if crc32.ChecksumIEEE(text) != binary.BigEndian.Uint32(sum) || scoring.Decode(text, &c) != nil || !c.valid() {
		return cursor{}, errDamagedCursor
	}
	if c.Sync != sync {
		return cursor{}, invalidParameter("cursor", "belongs to the listing with sync=%s", c.Sync)
	}
	return c, nil
}

var errDamagedCursor = invalidParameter("cursor", "must be a next_cursor from this listing")

// valid is what keeps a forged cursor from being more than a place in the listing.
func (c cursor) valid() bool {
	if c.Sync == outbox.StateDirty || c.Sync == outbox.StateParked {
		return !c.Time.IsZero() && len(scoring.ValidateClerkOrgID("", c.After)) == 0
	}
	return c.Time.IsZero() && len(scoring.ValidateID("", c.After)) == 0
}
