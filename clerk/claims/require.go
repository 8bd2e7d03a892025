package claims

import (
	"fmt"
	"net/http"
	"slices"
	"time"
)

// RequireTier returns middleware, for behind Authenticate, that requires a certification tier or one above it. It panics if
// there is no such tier: it is called when a program starts.
func RequireTier(least Tier) func(http.Handler) http.Handler {
	if !least.AtLeast(least) {
		panic(fmt.Sprintf("claims: RequireTier: unknown tier %q", least))
	}
	return requirement{
		claim: func(n Names) string { return n.Tier }, required: least, words: fmt.Sprintf("%s or above", least),
		judge: func(v verified) (any, bool) {
			return judged(v.claims.Tier, func(t Tier) bool { return t.AtLeast(least) })
		},
	}.middleware
}

// RequireScore is RequireTier for a compliance score or one above it. It panics unless that is of 0 to 100.
func RequireScore(least int) func(http.Handler) http.Handler {
	if least < 0 || least > 100 {
		panic(fmt.Sprintf("claims: RequireScore: %d is not between 0 and 100", least))
	}
	return requirement{
		claim: func(n Names) string { return n.Score }, required: least, words: fmt.Sprintf("%d or above", least),
		judge: func(v verified) (any, bool) {
			return judged(v.claims.Score, func(score int) bool { return score >= least })
		},
	}.middleware
}

// RequireInsurance is RequireTier for a valid insurance.
func RequireInsurance() func(http.Handler) http.Handler {
	return requirement{
		claim: func(n Names) string { return n.InsuranceValid }, required: true, words: "true",
		judge: func(v verified) (any, bool) {
			return judged(v.claims.InsuranceValid, func(valid bool) bool { return valid })
		},
	}.middleware
}

// maxAhead is by how much the clock of Postgres may be ahead of this one. More, and how old the values are cannot be told.
const maxAhead = time.Minute

// RequireFresh is RequireTier for values that were read from Postgres no longer than most ago: it refuses those without
// Claims.AsOf, those that are older, and those that are from more than a minute ahead. What that proves, and what most
// should be, is in the package's documentation. It panics unless most is above 0.
func RequireFresh(most time.Duration) func(http.Handler) http.Handler {
	if most <= 0 {
		panic(fmt.Sprintf("claims: RequireFresh: %s is not above 0", most))
	}
	return requirement{
		claim: func(n Names) string { return n.AsOf }, required: most.String(), words: fmt.Sprintf("no more than %s ago", most),
		judge: func(v verified) (any, bool) {
			return judged(v.claims.AsOf, func(asOf time.Time) bool {
				age := v.config.Now().Sub(asOf)
				return -maxAhead <= age && age <= most
			})
		},
	}.middleware
}

// requirement is what is required of one claim.
type requirement struct {
	claim    func(Names) string
	required any
	words    string // the same, for people
	// judge returns what the token has, nil for nothing, and whether that is enough.
	judge func(verified) (any, bool)
}

// judged is where absent claims fail, all of them.
func judged[T any](claim *T, enough func(T) bool) (any, bool) {
	if claim == nil {
		return nil, false
	}
	return *claim, enough(*claim)
}

func (q requirement) middleware(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v, ok := r.Context().Value(contextKey{}).(verified)
		if !ok || v.claims == nil {
			refuseToken(w, &Error{Reason: Unverified})
			return
		}
		actual, enough := q.judge(v)
		if !enough {
			q.refuse(w, v, actual)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// refuse says what is required and what there is. A token that was just made is as new as Clerk has them.
func (q requirement) refuse(w http.ResponseWriter, v verified, actual any) {
	claim := q.claim(v.config.Names)
	v.config.Observer.RequestForbidden(claim)
	forbidden{
		problem:  newProblem(http.StatusForbidden, q.detail(claim, v, actual)),
		Claim:    claim,
		Required: q.required,
		Actual:   actual,
		Refresh:  v.config.Now().Sub(v.claims.IssuedAt) > v.config.Leeway,
	}.write(w)
}

func (q requirement) detail(claim string, v verified, actual any) string {
	has := "does not have it"
	switch {
	case slices.Contains(v.claims.Malformed, claim):
		has = "has it in a form that is not accepted"
	case actual != nil:
		has = fmt.Sprintf("has %s", inWords(actual))
	}
	return fmt.Sprintf("Required is %s: %s. The session token %s.", claim, q.words, has)
}

func inWords(actual any) string {
	if t, ok := actual.(time.Time); ok {
		return t.Format(time.RFC3339)
	}
	return fmt.Sprint(actual)
}
