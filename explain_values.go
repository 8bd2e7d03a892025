package claimsync

import (
	"encoding/json"
	"time"

	"github.com/claimsync/claimsync/clerk"
	"github.com/claimsync/claimsync/db/dbsqlc"
)

// Wanted is what Clerk is to have under clerk.Keys, as JSON; no entry for what it is not to have.
func (e *Explanation) Wanted() map[string]string {
	if e.Organization == nil {
		return clerk.Metadata{}.Values()
	}
	tier := dbsqlc.CertificationTier(e.Organization.CertificationTier.String())
	score := e.Organization.Score
	if score == nil {
		return metadataOf(tier, nil, nil).Values()
	}
	return metadataOf(tier, new(int16(score.Overall)), &score.InsuranceValid).Values()
}

// Applied is what Clerk confirmed last, as Wanted; nil: nothing yet, or it was not noted.
func (e *Explanation) Applied() map[string]string {
	var members map[string]json.RawMessage
	if e.Row.Applied == nil || json.Unmarshal(e.Row.Applied, &members) != nil {
		return nil
	}
	values := map[string]string{}
	for key, value := range members {
		if string(value) != "null" {
			values[key] = string(value)
		}
	}
	return values
}

// ClaimsAsOf is when the values were read that Clerk confirmed last, which its tokens say; nil: nothing yet, or it was not
// told.
func (e *Explanation) ClaimsAsOf() *time.Time {
	at, err := time.Parse(`"`+time.RFC3339+`"`, e.Applied()["claims_as_of"])
	if err != nil {
		return nil
	}
	return &at
}
