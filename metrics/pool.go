package metrics

import (
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
)

// WatchPool adds how busy the process's connections to Postgres are. Call it once.
func (m *Metrics) WatchPool(pool *pgxpool.Pool) {
	m.registry.MustRegister(poolCollector{pool})
}

// poolMetric is one figure of a pool.
type poolMetric struct {
	desc  *prometheus.Desc
	kind  prometheus.ValueType
	value func(*pgxpool.Stat) float64
}

func newPoolMetric(name, help string, kind prometheus.ValueType, value func(*pgxpool.Stat) float64) poolMetric {
	return poolMetric{prometheus.NewDesc(prometheus.BuildFQName(namespace, "pool", name), help, nil, nil), kind, value}
}

var poolMetrics = []poolMetric{
	newPoolMetric("max_connections", "Connections that the pool may have.", prometheus.GaugeValue,
		func(s *pgxpool.Stat) float64 { return float64(s.MaxConns()) }),
	newPoolMetric("connections", "Connections that the pool has, being made included.", prometheus.GaugeValue,
		func(s *pgxpool.Stat) float64 { return float64(s.TotalConns()) }),
	newPoolMetric("acquired_connections", "Connections in use.", prometheus.GaugeValue,
		func(s *pgxpool.Stat) float64 { return float64(s.AcquiredConns()) }),
	newPoolMetric("acquires_total", "Connections handed out.", prometheus.CounterValue,
		func(s *pgxpool.Stat) float64 { return float64(s.AcquireCount()) }),
	newPoolMetric("empty_acquires_total", "Connections handed out that had to be waited for.", prometheus.CounterValue,
		func(s *pgxpool.Stat) float64 { return float64(s.EmptyAcquireCount()) }),
	newPoolMetric("canceled_acquires_total", "Waits for a connection that were given up.", prometheus.CounterValue,
		func(s *pgxpool.Stat) float64 { return float64(s.CanceledAcquireCount()) }),
	newPoolMetric("acquire_wait_seconds_total", "Time spent waiting for a connection.", prometheus.CounterValue,
		func(s *pgxpool.Stat) float64 { return s.EmptyAcquireWaitTime().Seconds() }),
}

// poolCollector takes all figures from one look at the pool.
type poolCollector struct{ pool *pgxpool.Pool }

func (c poolCollector) Describe(descs chan<- *prometheus.Desc) {
	for _, metric := range poolMetrics {
		descs <- metric.desc
	}
}

func (c poolCollector) Collect(metrics chan<- prometheus.Metric) {
	stat := c.pool.Stat()
	for _, metric := range poolMetrics {
		metrics <- prometheus.MustNewConstMetric(metric.desc, metric.kind, metric.value(stat))
	}
}
