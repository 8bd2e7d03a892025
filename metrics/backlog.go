package metrics

import (
	"context"
	"math"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/claimsync/claimsync/outbox"
)

// backlogTimeout bounds what a scrape waits for the database: well below Prometheus' default of 10 s, after which it
// would throw away the other metrics too.
const backlogTimeout = 3 * time.Second

// WatchOutbox adds the backlog of the topics and how their destinations stand, read from the database at each scrape: so
// every process of the fleet answers the same. Call it once.
func (m *Metrics) WatchOutbox(pool *pgxpool.Pool, box *outbox.Outbox, topics ...string) {
	for _, topic := range topics {
		m.swept.WithLabelValues(topic) // from zero: a counter that appears at 1 has no increase
	}
	m.registry.MustRegister(&outboxCollector{pool: pool, outbox: box, topics: topics})
}

var (
	outboxUp = prometheus.NewDesc(prometheus.BuildFQName(namespace, "outbox", "up"),
		"Whether the outbox could be read from the database: 1, else 0.", nil, nil)
	dirtyRows = prometheus.NewDesc(prometheus.BuildFQName(namespace, "outbox", "dirty_rows"),
		"Keys with a change on its way.", []string{"topic"}, nil)
	parkedRows = prometheus.NewDesc(prometheus.BuildFQName(namespace, "outbox", "parked_rows"),
		"Keys with a change that was given up on.", []string{"topic"}, nil)
	oldestDirtyAge = prometheus.NewDesc(prometheus.BuildFQName(namespace, "outbox", "oldest_dirty_age_seconds"),
		"Age of the oldest change on its way; 0: there is none.", []string{"topic"}, nil)
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
	describeDestination(descs)
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
	backlog, err := c.outbox.Backlog(ctx, c.pool, topic, math.MaxInt32)
	if err != nil {
		return err
	}
	metrics <- gauge(dirtyRows, float64(backlog.Dirty), topic)
	metrics <- gauge(parkedRows, float64(backlog.Parked), topic)
	metrics <- gauge(oldestDirtyAge, backlog.OldestDirtyAge.Seconds(), topic)
	return c.collectDestination(ctx, metrics, topic)
}

func gauge(desc *prometheus.Desc, value float64, labels ...string) prometheus.Metric {
	return prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, labels...)
}
