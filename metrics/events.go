package metrics

import "github.com/prometheus/client_golang/prometheus"

// newEvents begins from zero what is worth an alert: a counter that appears at 1 has no increase.
func newEvents() *prometheus.CounterVec {
	events := prometheus.NewCounterVec(prometheus.CounterOpts{
		Namespace: namespace, Name: "clerk_events_total",
		Help: "Webhooks from Clerk by the type of the event, other for what is not handled, and what they led to.",
	}, []string{"type", "outcome"})
	for _, eventType := range []string{"organization.created", "organization.updated", "organization.deleted"} {
		for _, outcome := range []string{"conflict", "contested", "failed"} {
			events.WithLabelValues(eventType, outcome)
		}
	}
	events.WithLabelValues("other", "refused")
	return events
}

// ClerkEvent counts a webhook from Clerk.
func (m *Metrics) ClerkEvent(eventType, outcome string) {
	m.events.WithLabelValues(eventType, outcome).Inc()
}
