package claims_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/claimsync/claimsync/clerk/claims"
	"github.com/claimsync/claimsync/clerk/clerktest"
)

type middleware = func(http.Handler) http.Handler

// Each requirement with what is enough, what is not, and what is not there.
func TestRequire(t *testing.T) {
	r := newReader(t)
	now := time.Now()
	before := func(age time.Duration) string { return now.Add(-age).UTC().Format(time.RFC3339) }
	const tier, score, insured, asOf = "certification_tier", "compliance_score", "insurance_valid", "claims_as_of"
	tests := map[string]struct {
		require middleware
		claim   string
		enough  []any
		not     []any // nil: absent; what else is actual in the answer
		refused []any // malformed: null in the answer
	}{
		"tier": {
			claims.RequireTier(claims.Certified), tier, []any{"CERTIFIED", "MASTER_ROOFER"}, []any{nil, "ACCREDITED"},
			[]any{"GOLD", "", 3, true, []string{"CERTIFIED"}},
		},
		"the lowest tier": {claims.RequireTier(claims.Accredited), tier, []any{"ACCREDITED", "CERTIFIED"}, []any{nil}, []any{"NONE"}},
		"score": {
			claims.RequireScore(70), score, []any{70, 71, 100, "70"}, []any{nil, 69, 0}, []any{"high", 70.5, 101, -1, true},
		},
		"any score": {claims.RequireScore(0), score, []any{0, 1}, []any{nil}, []any{"", -1}},
		"insurance": {claims.RequireInsurance(), insured, []any{true, "true"}, []any{nil, false}, []any{"yes", 1, "TRUE", []bool{true}}},
		"freshness": {
			claims.RequireFresh(time.Hour), asOf,
			[]any{before(0), before(59 * time.Minute), before(-50 * time.Second)},
			[]any{nil, before(61 * time.Minute), before(1000 * time.Hour), before(-2 * time.Minute)},
			[]any{"today", now.Unix(), true, ""},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			handler := r.Authenticate(test.require(passed))
			ask := func(value any) *httptest.ResponseRecorder {
				return get(handler, "Bearer "+r.mint(with(map[string]any{test.claim: value})))
			}
			for _, value := range test.enough {
				if answer := ask(value); answer.Code != 200 {
					t.Errorf("%v: %d %s", value, answer.Code, answer.Body)
				}
			}
			count := r.count.of("forbidden " + test.claim)
			refused := func(value, actual any) {
				answer := ask(value)
				problem := problemOf(t, answer)
				if answer.Code != 403 || problem["claim"] != test.claim || fmt.Sprint(problem["actual"]) != fmt.Sprint(actual) ||
					problem["required"] == nil || answer.Header().Get("WWW-Authenticate") != "" {
					t.Errorf("%v: %d %s", value, answer.Code, answer.Body)
				}
			}
			for _, value := range test.not {
				refused(value, value)
			}
			for _, value := range test.refused {
				refused(value, nil)
			}
			if got := r.count.of("forbidden "+test.claim) - count; got != len(test.not)+len(test.refused) {
				t.Errorf("%d requests are counted as forbidden", got)
			}
		})
	}
}

// What a refusal says, to a program and to people.
func TestForbidden(t *testing.T) {
	r := newReader(t)
	brandNew := func(request *clerktest.TokenRequest) { request.IssuedAt = time.Now() }
	older := func(request *clerktest.TokenRequest) { request.IssuedAt = time.Now().Add(-20 * time.Second) }
	for name, test := range map[string]struct {
		require middleware
		edit    func(*clerktest.TokenRequest)
		want    map[string]any
	}{
		"too low, by an older token": {claims.RequireTier(claims.MasterRoofer), older, map[string]any{
			"claim": "certification_tier", "required": "MASTER_ROOFER", "actual": "CERTIFIED", "refresh": true,
			"detail": "Required is certification_tier: MASTER_ROOFER or above. The session token has CERTIFIED.",
		}},
		"too low, by a new one": {claims.RequireScore(90), brandNew, map[string]any{
			"claim": "compliance_score", "required": 90., "actual": 87., "refresh": false,
			"detail": "Required is compliance_score: 90 or above. The session token has 87.",
		}},
		"malformed": {claims.RequireInsurance(), with(map[string]any{"insurance_valid": "hush"}), map[string]any{
			"claim": "insurance_valid", "required": true, "actual": nil, "refresh": false,
			"detail": "Required is insurance_valid: true. The session token has it in a form that is not accepted.",
		}},
		"absent": {claims.RequireInsurance(), with(map[string]any{"insurance_valid": nil}), map[string]any{
			"claim": "insurance_valid", "required": true, "actual": nil, "refresh": false,
			"detail": "Required is insurance_valid: true. The session token does not have it.",
		}},
		"too old": {claims.RequireFresh(48 * time.Hour), with(map[string]any{"claims_as_of": "2026-11-01T00:00:00Z"}), map[string]any{
			"claim": "claims_as_of", "required": "48h0m0s", "actual": "2026-11-01T00:00:00Z", "refresh": false,
			"detail": "Required is claims_as_of: no more than 48h0m0s ago. The session token has 2026-11-01T00:00:00Z.",
		}},
	} {
		answer := get(r.Authenticate(test.require(passed)), "Bearer "+r.mint(test.edit))
		test.want["title"], test.want["status"] = "Forbidden", 403.
		if diff := cmp.Diff(test.want, problemOf(t, answer)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// Requirements may be stacked: each has to be met.
func TestRequireAll(t *testing.T) {
	r := newReader(t)
	stack := func(h http.Handler) http.Handler {
		return r.Authenticate(claims.RequireTier(claims.Certified)(claims.RequireScore(70)(claims.RequireInsurance()(h))))
	}
	if answer := get(stack(passed), "Bearer "+r.mint()); answer.Code != 200 {
		t.Errorf("all are met: %d %s", answer.Code, answer.Body)
	}
	for claim, value := range map[string]any{"certification_tier": "ACCREDITED", "compliance_score": 0, "insurance_valid": false} {
		answer := get(stack(passed), "Bearer "+r.mint(with(map[string]any{claim: value})))
		if problem := problemOf(t, answer); problem["claim"] != claim {
			t.Errorf("without %s: %d %s", claim, answer.Code, answer.Body)
		}
	}
}

// Where Authenticate was forgotten, or is behind what requires claims, nobody passes.
func TestRequireWithoutAuthenticate(t *testing.T) {
	r := newReader(t)
	for name, require := range map[string]middleware{
		"tier": claims.RequireTier(claims.Accredited), "score": claims.RequireScore(0),
		"insurance": claims.RequireInsurance(), "freshness": claims.RequireFresh(time.Hour),
	} {
		for order, handler := range map[string]http.Handler{"forgotten": require(passed), "behind": require(r.Authenticate(passed))} {
			answer := get(handler, "Bearer "+r.mint())
			if problem := problemOf(t, answer); answer.Code != 500 || problem["reason"] != "unverified" || answer.Header().Get("WWW-Authenticate") != "" {
				t.Errorf("%s, %s: %d %s", name, order, answer.Code, answer.Body)
			}
		}
		request := httptest.NewRequest(http.MethodGet, "/", nil)
		answer := httptest.NewRecorder()
		require(passed).ServeHTTP(answer, request.WithContext(claims.NewContext(request.Context(), nil)))
		if answer.Code != 500 {
			t.Errorf("%s, with claims of nobody: %d", name, answer.Code)
		}
	}
}

// What nobody could ever meet, or everybody would, is a mistake that shows when the program starts.
func TestRequireNonsense(t *testing.T) {
	t.Parallel()
	for name, require := range map[string]func() middleware{
		"an unknown tier": func() middleware { return claims.RequireTier("GOLD") },
		"no tier":         func() middleware { return claims.RequireTier("") },
		"a score of 101":  func() middleware { return claims.RequireScore(101) },
		"a score below 0": func() middleware { return claims.RequireScore(-1) },
		"no freshness":    func() middleware { return claims.RequireFresh(0) },
	} {
		func() {
			defer func() {
				if said := fmt.Sprint(recover()); !strings.HasPrefix(said, "claims: Require") {
					t.Errorf("%s: %s", name, said)
				}
			}()
			require()
		}()
	}
}
