package metrics

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/claimsync/claimsync/outbox"
)

// backlogTimeout bounds what a scrape waits for the database: well below Prometheus' default of 10 s, after which it
// would throw away the other metrics too.
const backlogTimeout = 3 * time.Second

// countedAtMost bounds what a scrape costs, which every process causes. Where a hundred thousand rows had just changed,
// which scatters them over the table, counting them took half a second, and ten thousand 50 ms. What comes after says no
// more to a person: whether it becomes less is told by the age of the oldest.
const countedAtMost = 10_000

// outcomes are those that the worker tells of, see docs/decisions.md. One more is in the delivery log alone: lost, of a
// process that told nothing any more.
var outcomes = []string{
	"applied", "retry", "wait", "outage", "ambiguous", "stop", "missing", "park",
	"canceled", "fenced", "verified", "overwritten",
}

// WatchOutbox adds the backlog of the topics and how their destinations stand, read from the database at each scrape: so
// every process of the fleet answers the same. Call it once.
func (m *Metrics) WatchOutbox(pool *pgxpool.Pool, box *outbox.Outbox, topics ...string) {
	for _, topic := range topics { // from zero: a counter that appears at 1 has no increase
		m.swept.WithLabelValues(topic)
		m.lags.WithLabelValues(topic)
		for _, outcome := range outcomes {
			m.deliveries.WithLabelValues(topic, outcome)
		}
	}
	m.registry.MustRegister(&outboxCollector{pool: pool, outbox: box, topics: topics})
}

var (
	outboxUp = prometheus.NewDesc(prometheus.BuildFQName(namespace, "outbox", "up"),
		"Whether the outbox could be read from the database: 1, else 0.", nil, nil)
	dirtyRows = prometheus.NewDesc(prometheus.BuildFQName(namespace, "outbox", "dirty_rows"),
		"Keys with a change on its way; no more are counted than 10000.", []string{"topic"}, nil)
	parkedRows = prometheus.NewDesc(prometheus.BuildFQName(namespace, "outbox", "parked_rows"),
		"Keys with a change that was given up on; no more are counted than 10000.", []string{"topic"}, nil)
	oldestDirtyAge = prometheus.NewDesc(prometheus.BuildFQName(namespace, "outbox", "oldest_dirty_age_seconds"),
		"Age of the oldest change on its way; 0: there is none, or it is one of a backfill.", []string{"topic"}, nil)
	oldestBackfillAge = prometheus.NewDesc(prometheus.BuildFQName(namespace, "outbox", "oldest_backfill_age_seconds"),
		"Age of the oldest change on its way if it is one of a backfill, which takes as long as the budget says; 0: it is not.",
		[]string{"topic"}, nil)
)

type outboxCollector struct {
	pool   *pgxpool.Pool
	outbox *outbox.Outbox
	topics []string
}

func (c *outboxCollector) Describe(descs chan<- *prometheus.Desc) {
	descs <- outboxUp
	descs <- dirtyRows
	descs <- parkedRows
	descs <- oldestDirtyAge
	descs <- oldestBackfillAge
	describeDestination(descs)
	describeRiver(descs)
}

// Collect leaves out what it cannot read: an old number would look like a new one.
func (c *outboxCollector) Collect(metrics chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), backlogTimeout)
	defer cancel()
	up := 1.0
	for _, topic := range c.topics {
		if err := c.collectTopic(ctx, metrics, topic); err != nil {
			up = 0
			break // the database does not answer for the others either
		}
	}
	metrics <- gauge(outboxUp, up)
}

func (c *outboxCollector) collectTopic(ctx context.Context, metrics chan<- prometheus.Metric, topic string) error {
	backlog, err := c.outbox.Backlog(ctx, c.pool, topic, countedAtMost)
	if err != nil {
		return err
	}
	metrics <- gauge(dirtyRows, float64(backlog.Dirty), topic)
	metrics <- gauge(parkedRows, float64(backlog.Parked), topic)
	changes, backfills := backlog.OldestDirtyAge.Seconds(), 0.
	if backlog.OldestPriority == outbox.PriorityBackfill {
		changes, backfills = 0, changes
	}
	metrics <- gauge(oldestDirtyAge, changes, topic)
	metrics <- gauge(oldestBackfillAge, backfills, topic)
	if err := c.collectDestination(ctx, metrics, topic); err != nil {
		return err
	}
	return c.collectRiver(ctx, metrics, topic)
}

func gauge(desc *prometheus.Desc, value float64, labels ...string) prometheus.Metric {
	return prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, labels...)
}
