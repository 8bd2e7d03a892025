package metrics

import (
	"context"
	"encoding/json"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/claimsync/claimsync/db/dbsqlc"
)

// The results of a periodic drift check, as claimsync names them.
var driftResults = []string{"clean", "drift", "failed"}

func newDriftChecks() *prometheus.CounterVec {
	checks := prometheus.NewCounterVec(prometheus.CounterOpts{
		Namespace: namespace, Name: "drift_checks_total",
		Help: "Periodic checks for drift that this process made.",
	}, []string{"result"})
	for _, result := range driftResults {
		checks.WithLabelValues(result) // from zero: a counter that appears at 1 has no increase
	}
	return checks
}

// DriftChecked counts a periodic check for drift.
func (m *Metrics) DriftChecked(result string) { m.driftChecks.WithLabelValues(result).Inc() }

// WatchDrift adds what the topic's last drift check found, read from the database at each scrape: so every process of the
// fleet answers the same. every is how often a check is due, see claimsync.Sync.DriftEvery; below 0: never, and then none can be
// late. Call it once.
func (m *Metrics) WatchDrift(pool *pgxpool.Pool, topic string, every time.Duration) {
	m.registry.MustRegister(&driftCollector{pool: pool, topic: topic, every: every})
}

var (
	driftOrganizations = prometheus.NewDesc(prometheus.BuildFQName(namespace, "drift", "organizations"),
		"Organizations that differed from Postgres in the last drift check, by kind; one can have several.", []string{"kind"}, nil)
	driftContested = prometheus.NewDesc(prometheus.BuildFQName(namespace, "drift", "contested_organizations"),
		"Organizations of the last drift check whose keys somebody else keeps writing: they are left to a person.", nil, nil)
	driftAge = prometheus.NewDesc(prometheus.BuildFQName(namespace, "drift", "check_age_seconds"),
		"Since the last drift check was completed; if none was yet, since the first one was planned.", nil, nil)
	driftEvery = prometheus.NewDesc(prometheus.BuildFQName(namespace, "drift", "check_interval_seconds"),
		"How often a drift check is due.", nil, nil)
)

type driftCollector struct {
	pool  *pgxpool.Pool
	topic string
	every time.Duration
}

func (c *driftCollector) Describe(descs chan<- *prometheus.Desc) {
	descs <- driftOrganizations
	descs <- driftContested
	descs <- driftAge
	descs <- driftEvery
}

// Collect leaves out what it cannot read, and what nobody has looked at yet: a zero would say that all is well.
func (c *driftCollector) Collect(metrics chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), backlogTimeout)
	defer cancel()
	summary, err := dbsqlc.New().DriftSummary(ctx, c.pool, c.topic)
	if err != nil {
		return // no check was ever planned; or claimsync_outbox_up says so
	}
	if c.every >= 0 {
		metrics <- gauge(driftAge, summary.Age.Seconds())
		metrics <- gauge(driftEvery, c.every.Seconds())
	}
	var kinds map[string]float64
	if json.Unmarshal(summary.Kinds, &kinds) != nil { // there is no report
		return
	}
	for kind, organizations := range kinds {
		metrics <- gauge(driftOrganizations, organizations, kind)
	}
	metrics <- gauge(driftContested, float64(summary.Contested))
}
