// Package claimsmetrics counts for Prometheus what package claims refuses and finds wrong.
package claimsmetrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/claimsync/claimsync/clerk/claims"
)

// Observer is the claims.Observer of a configuration, and a prometheus.Collector to be registered.
type Observer struct {
	refused, malformed, forbidden, fetches *prometheus.CounterVec
}

var (
	_ claims.Observer      = (*Observer)(nil)
	_ prometheus.Collector = (*Observer)(nil)
)

// New returns an Observer that has counted nothing yet.
func New() *Observer {
	counter := func(name, help, label string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, []string{label})
	}
	o := &Observer{
		refused: counter("session_tokens_refused_total",
			"Session tokens that were not accepted, by claims.Reason; keys_unavailable is not their fault.", "reason"),
		malformed: counter("session_claims_malformed_total",
			"Claims of accepted tokens that were no value of their kind: the customization, or the metadata, are wrong at Clerk.", "claim"),
		forbidden: counter("session_claims_insufficient_total",
			"Requests that were answered with 403, by the claim that was not enough.", "claim"),
		fetches: counter("session_key_fetches_total", "Fetches of Clerk's keys, by result: ok or failed.", "result"),
	}
	for _, result := range []string{resultOK, resultFailed} {
		o.fetches.WithLabelValues(result) // there from the start, so that the first failure is an increase
	}
	return o
}

const (
	resultOK     = "ok"
	resultFailed = "failed"
)

// TokenRefused implements claims.Observer.
func (o *Observer) TokenRefused(reason claims.Reason) {
	o.refused.WithLabelValues(string(reason)).Inc()
}

// ClaimMalformed implements claims.Observer.
func (o *Observer) ClaimMalformed(claim string) { o.malformed.WithLabelValues(claim).Inc() }

// RequestForbidden implements claims.Observer.
func (o *Observer) RequestForbidden(claim string) { o.forbidden.WithLabelValues(claim).Inc() }

// KeysFetched implements claims.Observer.
func (o *Observer) KeysFetched(err error) {
	result := resultOK
	if err != nil {
		result = resultFailed
	}
	o.fetches.WithLabelValues(result).Inc()
}

// Describe implements prometheus.Collector.
func (o *Observer) Describe(descriptions chan<- *prometheus.Desc) {
	for _, counter := range o.counters() {
		counter.Describe(descriptions)
	}
}

// Collect implements prometheus.Collector.
func (o *Observer) Collect(metrics chan<- prometheus.Metric) {
	for _, counter := range o.counters() {
		counter.Collect(metrics)
	}
}

func (o *Observer) counters() []*prometheus.CounterVec {
	return []*prometheus.CounterVec{o.refused, o.malformed, o.forbidden, o.fetches}
}
