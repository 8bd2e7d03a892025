package claimsmetrics_test

import (
	"errors"
	"net/http/httptest"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/claimsync/claimsync/clerk/claims"
	"github.com/claimsync/claimsync/clerk/claims/claimsmetrics"
)

func TestObserver(t *testing.T) {
	t.Parallel()
	observer := claimsmetrics.New()
	observer.TokenRefused(claims.Expired)
	observer.TokenRefused(claims.Expired)
	observer.ClaimMalformed("compliance_score")
	observer.RequestForbidden("insurance_valid")
	observer.KeysFetched(errors.New("no network"))
	const want = `
# HELP session_claims_insufficient_total Requests that were answered with 403, by the claim that was not enough.
# TYPE session_claims_insufficient_total counter
session_claims_insufficient_total{claim="insurance_valid"} 1
# HELP session_claims_malformed_total Claims of accepted tokens that were no value of their kind: the customization, or the metadata, are wrong at Clerk.
# TYPE session_claims_malformed_total counter
session_claims_malformed_total{claim="compliance_score"} 1
# HELP session_key_fetches_total Fetches of Clerk's keys, by result: ok or failed.
# TYPE session_key_fetches_total counter
session_key_fetches_total{result="failed"} 1
session_key_fetches_total{result="ok"} 0
# HELP session_tokens_refused_total Session tokens that were not accepted, by claims.Reason; keys_unavailable is not their fault.
# TYPE session_tokens_refused_total counter
session_tokens_refused_total{reason="expired"} 2
`
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(observer)
	answer := httptest.NewRecorder()
	promhttp.HandlerFor(registry, promhttp.HandlerOpts{}).ServeHTTP(answer, httptest.NewRequest("GET", "/metrics", nil))
	if diff := cmp.Diff(want, "\n"+answer.Body.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
