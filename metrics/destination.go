package metrics

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/claimsync/claimsync/outbox"
)

var (
	breakerOpen = prometheus.NewDesc(prometheus.BuildFQName(namespace, "breaker", "open"),
		"Whether the breaker is open for this cause, so that nothing is delivered: 1, else 0.", []string{"topic", "cause"}, nil)
	blockedSeconds = prometheus.NewDesc(prometheus.BuildFQName(namespace, "destination", "blocked_seconds"),
		"For how much longer nobody calls the destination, because it said so (Retry-After); 0: it may be called.",
		[]string{"topic"}, nil)
	budgetUsed = prometheus.NewDesc(prometheus.BuildFQName(namespace, "budget", "share_ratio"),
		"Share of the budget at which the destination is called, 0 to 1: less after others have used what it counts on.",
		[]string{"topic"}, nil)
	budgetLimit = prometheus.NewDesc(prometheus.BuildFQName(namespace, "budget", "calls_per_second"),
		"How many calls of the destination all processes together may make each second; none: any number.",
		[]string{"topic"}, nil)
)

func describeDestination(descs chan<- *prometheus.Desc) {
	descs <- breakerOpen
	descs <- blockedSeconds
	descs <- budgetUsed
	descs <- budgetLimit
}

// collectDestination gives each cause its own series, from zero: an alert on a series that appears only when it fires
// cannot tell that all is well from that nothing is scraped.
func (c *outboxCollector) collectDestination(ctx context.Context, metrics chan<- prometheus.Metric, topic string) error {
	now, err := c.outbox.Clock(ctx, c.pool)
	if err != nil {
		return err
	}
	standing, err := c.outbox.Standing(ctx, c.pool, topic)
	if err != nil {
		return err
	}
	for _, cause := range []outbox.Cause{outbox.CauseOutage, outbox.CauseConfiguration, outbox.CauseOperator} {
		open := standing.Breaker != nil && standing.Breaker.Cause == cause
		metrics <- gauge(breakerOpen, oneIf(open), topic, string(cause))
	}
	blocked := 0.0
	if standing.Blocked != nil {
		blocked = max(0, standing.Blocked.Until.Sub(now).Seconds())
	}
	metrics <- gauge(blockedSeconds, blocked, topic)
	metrics <- gauge(budgetUsed, standing.Rate, topic)
	if c.outbox.Limited(topic) {
		metrics <- gauge(budgetLimit, c.outbox.CallsPerSecond(topic), topic)
	}
	return nil
}
