package claims

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"time"

	clerksdk "github.com/clerk/clerk-sdk-go/v2"
)

// Names are what the claims are called in the session token, where its customization in Clerk's dashboard calls them
// otherwise. What is left out has the name it has in the metadata.
type Names struct {
	Tier           string // defaults to certification_tier
	Score          string // defaults to compliance_score
	InsuranceValid string // defaults to insurance_valid
	AsOf           string // defaults to claims_as_of
}

// members are the claims of a token as they are written in it.
type members map[string]json.RawMessage

// claimsOf takes the claims out of a verified token.
func (v *Verifier) claimsOf(ctx context.Context, session *clerksdk.SessionClaims, token members) *Claims {
	names := v.config.Names
	c := &Claims{
		Subject: session.Subject, SessionID: session.SessionID,
		OrganizationID: session.ActiveOrganizationID, Role: session.ActiveOrganizationRole,
		IssuedAt: time.Unix(*session.IssuedAt, 0), ExpiresAt: time.Unix(*session.Expiry, 0),
	}
	c.Tier = read(c, token, names.Tier, parseTier)
	c.Score = read(c, token, names.Score, parseScore)
	c.InsuranceValid = read(c, token, names.InsuranceValid, parseBool)
	c.AsOf = read(c, token, names.AsOf, parseTime)
	for _, name := range c.Malformed {
		v.config.Logger.DebugContext(ctx, "Claim of a session token is malformed", "claim", name, "clerk_org_id", c.OrganizationID)
		v.config.Observer.ClaimMalformed(name)
	}
	return c
}

// read returns nil for what is not there, null, or malformed.
func read[T any](c *Claims, token members, name string, parse func(string) (T, bool)) *T {
	text, there := plain(token[name])
	if !there {
		return nil
	}
	value, ok := parse(text)
	if !ok {
		c.Malformed = append(c.Malformed, name)
		return nil
	}
	return &value
}

// plain is a value as text, whether it is a string or not: a shortcode that does not stand alone makes a string of
// whatever it is filled in with.
func plain(raw json.RawMessage) (text string, there bool) {
	if len(raw) == 0 || string(raw) == "null" {
		return "", false
	}
	if json.Unmarshal(raw, &text) == nil {
		return text, true
	}
	return string(raw), true
}

func parseTier(text string) (Tier, bool) { return Tier(text), slices.Contains(tiers, Tier(text)) }

// parseScore accepts a score in the one way in which it is written: no fraction, sign, leading zero or exponent.
func parseScore(text string) (int, bool) {
	score, err := strconv.Atoi(text)
	return score, err == nil && 0 <= score && score <= 100 && strconv.Itoa(score) == text
}

func parseBool(text string) (value, ok bool) {
	return text == "true", text == "true" || text == "false"
}

func parseTime(text string) (time.Time, bool) {
	t, err := time.Parse(time.RFC3339, text)
	return t.UTC(), err == nil
}
