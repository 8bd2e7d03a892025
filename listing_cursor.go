package claimsync

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/claimsync/claimsync/outbox"
	"github.com/claimsync/claimsync/scoring"
)

// Cursor is a place in a listing: behind an organization, by After, which is its id, or by Time and then After, its Clerk
// id. With neither it is the beginning.
type Cursor struct {
	Listing
	Time  time.Time `json:"time,omitzero"`
	After string    `json:"after"`
}

// The errors of ParseCursor.
var (
	// ErrDamagedCursor: it is not what Cursor.Token returned.
	ErrDamagedCursor = errors.New("the cursor is damaged")
	// ErrOtherListing: it belongs to another listing.
	ErrOtherListing = errors.New("the cursor belongs to another listing")
)

// maxSearch bounds what is searched for, in characters: no name is longer.
const maxSearch = 256

// SearchFor makes what a person typed fit to be searched for.
func SearchFor(text string) string {
	text = strings.TrimSpace(strings.ReplaceAll(strings.ToValidUTF8(text, " "), "\x00", " "))
	if characters := []rune(text); len(characters) > maxSearch {
		return strings.TrimSpace(string(characters[:maxSearch]))
	}
	return text
}

// after is the place behind the organization.
func (c Cursor) after(l *Listed) Cursor {
	place := Cursor{Listing: c.Listing, After: l.Organization.ID}
	if c.byAge() {
		place.After = *l.Organization.ClerkOrgID
		place.Time = *l.Status.DirtySince
		if c.State == outbox.StateParked {
			place.Time = *l.ParkedAt
		}
	}
	return place
}

// Token is the cursor for the outside: opaque, with a checksum that tells damage from another place in the listing.
func (c Cursor) Token() (string, error) {
	text, err := json.Marshal(c)
	if err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(binary.BigEndian.AppendUint32(text, crc32.ChecksumIEEE(text))), nil
}

// ParseCursor refuses what Token did not make for the listing: with ErrDamagedCursor; or with ErrOtherListing, and the cursor.
// "" is the beginning.
func ParseCursor(token string, listing Listing) (Cursor, error) {
	if token == "" {
		return Cursor{Listing: listing}, nil
	}
	data, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(data) < crc32.Size {
		return Cursor{}, ErrDamagedCursor
	}
	text, sum := data[:len(data)-crc32.Size], data[len(data)-crc32.Size:]
	var c Cursor
	if crc32.ChecksumIEEE(text) != binary.BigEndian.Uint32(sum) || scoring.Decode(text, &c) != nil || !c.valid() {
		return Cursor{}, ErrDamagedCursor
	}
	if c.Listing != listing {
		return c, ErrOtherListing
	}
	return c, nil
}

// valid is what keeps a forged cursor from being more than a place in the listing.
func (c Cursor) valid() bool {
	if c.byAge() {
		return !c.Time.IsZero() && len(scoring.ValidateClerkOrgID("", c.After)) == 0
	}
	return c.Time.IsZero() && len(scoring.ValidateID("", c.After)) == 0
}
