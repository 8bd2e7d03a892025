package claims_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/claimsync/claimsync/clerk/claims"
	"github.com/claimsync/claimsync/clerk/clerktest"
)

// push is what claimsync does: the values and when they were read, in one write.
func (r *reader) push(score int, asOf time.Time) {
	r.t.Helper()
	r.clerk.EditMetadata("org_1", fmt.Appendf(nil, `{"compliance_score":%d,"claims_as_of":%q}`, score, asOf.UTC().Format(time.RFC3339)), nil)
}

// A token that was minted with older claims is seen to be by their stamp, however new the token is.
func TestStaleTokenIsSeen(t *testing.T) {
	r := newReader(t)
	now := time.Now().Truncate(time.Second)
	r.push(40, now.Add(-30*time.Hour))
	first := time.Now()
	time.Sleep(20 * time.Millisecond) // so that there is a time between the two to be stale by
	r.push(90, now.Add(-time.Minute))

	fresh := r.Authenticate(claims.RequireFresh(25 * time.Hour)(claims.RequireScore(70)(passed)))
	for name, test := range map[string]struct {
		mint  func(*clerktest.TokenRequest)
		score int
		age   time.Duration
		code  int
	}{
		"from the newest metadata":       {func(*clerktest.TokenRequest) {}, 90, time.Minute, 200},
		"from those before a change":     {func(q *clerktest.TokenRequest) { q.ChangesAgo = 1 }, 40, 30 * time.Hour, 403},
		"from those of some time before": {func(q *clerktest.TokenRequest) { q.Stale = time.Since(first) }, 40, 30 * time.Hour, 403},
	} {
		var token string
		var c *claims.Claims
		r.until(name, func() (found bool) { // a machine that stands still makes the stale token a newer one
			token = r.mint(test.mint)
			var err error
			if c, err = r.Verify(t.Context(), token); err != nil {
				t.Fatal(err)
			}
			return *c.Score == test.score
		})
		if !c.AsOf.Equal(now.Add(-test.age)) || time.Since(c.IssuedAt) > 20*time.Second {
			t.Errorf("%s: as of %s, minted at %s", name, c.AsOf, c.IssuedAt)
		}
		if answer := get(fresh, "Bearer "+token); answer.Code != test.code {
			t.Errorf("%s: %d %s", name, answer.Code, answer.Body)
		}
	}
}

// While Clerk mints from metadata that are behind, a refusal ends with the next token once it has caught up; and a token that was
// fresh is refused when its values have become too old, also within its own life.
func TestFreshnessOverTime(t *testing.T) {
	r := newReader(t)
	r.push(90, time.Now())
	r.clerk.SetTokenStaleness(time.Hour) // before the first push
	fresh := r.Authenticate(claims.RequireFresh(25 * time.Hour)(passed))
	answer := get(fresh, "Bearer "+r.mint())
	if problem := problemOf(t, answer); answer.Code != 403 || problem["actual"] != nil || problem["refresh"] != false {
		t.Errorf("a token that is behind: %d %s", answer.Code, answer.Body)
	}
	r.clerk.SetTokenStaleness(0)
	token := r.mint(func(q *clerktest.TokenRequest) { q.Lifetime = 48 * time.Hour })
	if answer := get(fresh, "Bearer "+token); answer.Code != 200 {
		t.Errorf("the next one: %d %s", answer.Code, answer.Body)
	}
	r.pass(25*time.Hour + time.Minute) // nobody has pushed since
	answer = get(fresh, "Bearer "+token)
	if problem := problemOf(t, answer); answer.Code != 403 || problem["claim"] != "claims_as_of" || problem["refresh"] != true {
		t.Errorf("a day later: %d %s", answer.Code, answer.Body)
	}
}
