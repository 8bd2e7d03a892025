package main

import (
	"strings"
	"testing"
	"time"
)

// Who was sent here by a reader that found the claims too old sees how old they are.
func TestWhySaysHowOldClaimsAre(t *testing.T) {
	c, url := parkedOf(t, "park 422")
	if got := c.run(exitOK, "why", "a"); strings.Contains(got.stdout, "claims as of") {
		t.Errorf("as of some time, though nothing was pushed:\n%s", got.stdout)
	}
	query(t, url, `WITH pushed AS (UPDATE outbox SET applied = '{"compliance_score": 70, "claims_as_of": "2026-11-23T14:19:22Z"}'
		WHERE key = 'org_a' RETURNING 1) SELECT count(*) FROM pushed`)
	at := time.Date(2026, 11, 23, 14, 19, 22, 0, time.UTC)
	c.says("why a", "claims as of "+clock(at))
}
