package claims

import (
	"encoding/json"
	"log/slog"
	"testing"
	"time"

	clerksdk "github.com/clerk/clerk-sdk-go/v2"
)

// Whatever a claim is, it is absent, malformed, or a value of its kind, and only one of these.
func FuzzClaims(f *testing.F) {
	for _, seed := range []string{
		`"CERTIFIED"`, `87`, `"87"`, `true`, `"false"`, `"2026-11-23T12:00:00Z"`, `null`, `"null"`, `[]`, `{}`, `1e2`, `-0`, `"\u0038"`, `101`, ``,
	} {
		f.Add([]byte(seed))
	}
	verifier := &Verifier{config: Config{Names: Names{}.withDefaults(), Logger: slog.New(slog.DiscardHandler), Observer: noObserver{}}}
	session := &clerksdk.SessionClaims{}
	session.IssuedAt, session.Expiry = new(int64), new(int64)
	f.Fuzz(func(t *testing.T, raw []byte) {
		if len(raw) > 0 && !json.Valid(raw) {
			t.Skip("no token has that")
		}
		names := verifier.config.Names
		c := verifier.claimsOf(t.Context(), session, members{names.Tier: raw, names.Score: raw, names.InsuranceValid: raw, names.AsOf: raw})
		present := 0
		if c.Tier != nil {
			present++
			if !c.Tier.AtLeast(Accredited) {
				t.Errorf("tier %q", *c.Tier)
			}
		}
		if c.Score != nil {
			present++
			if *c.Score < 0 || *c.Score > 100 {
				t.Errorf("score %d", *c.Score)
			}
		}
		if c.InsuranceValid != nil {
			present++
		}
		if c.AsOf != nil {
			present++
			if c.AsOf.Location() != time.UTC {
				t.Errorf("as of %s", c.AsOf)
			}
		}
		absent := len(raw) == 0 || string(raw) == "null"
		if want := map[bool]int{true: 0, false: 4}[absent]; present+len(c.Malformed) != want || present > 1 {
			t.Errorf("%s: %d present, malformed %v", raw, present, c.Malformed)
		}
	})
}
