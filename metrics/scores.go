package metrics

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/claimsync/claimsync/db/dbsqlc"
)

// The results of a recalculation.
const (
	resultChanged   = "changed"
	resultUnchanged = "unchanged"
)

// Recalculated counts scores that were calculated because they were due.
func (m *Metrics) Recalculated(changed, unchanged int, overdue time.Duration) {
	m.recalculations.WithLabelValues(resultChanged).Add(float64(changed))
	m.recalculations.WithLabelValues(resultUnchanged).Add(float64(unchanged))
	m.recalculationLags.Observe(max(overdue, 0).Seconds())
}

// RecalculationFailed counts an organization that could not be calculated.
func (m *Metrics) RecalculationFailed() { m.recalculationsFailed.Inc() }

// WatchScores adds how many scores are stale by the passing of time or by foreign writers, and how the triggers stand that
// notice the latter, read from the database at each scrape. Call it once.
func (m *Metrics) WatchScores(pool *pgxpool.Pool) {
	m.registry.MustRegister(&scoresCollector{pool: pool}, triggersCollector{pool})
}

var (
	dueOrganizations = prometheus.NewDesc(prometheus.BuildFQName(namespace, "", "due_organizations"),
		"Organizations whose score time or a foreign writer has changed, and that are not recalculated yet; no more are counted than 10000.", nil, nil)
	dueOverdue = prometheus.NewDesc(prometheus.BuildFQName(namespace, "", "due_overdue_seconds"),
		"For how long the one has been due that is due for longest; 0: none is.", nil, nil)
)

type scoresCollector struct{ pool *pgxpool.Pool }

func (c *scoresCollector) Describe(descs chan<- *prometheus.Desc) {
	descs <- dueOrganizations
	descs <- dueOverdue
}

// Collect leaves out what it cannot read: an old number would look like a new one.
func (c *scoresCollector) Collect(metrics chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), backlogTimeout)
	defer cancel()
	due, err := dbsqlc.New().OrganizationsDue(ctx, c.pool, countedAtMost)
	if err != nil {
		return // claimsync_outbox_up says so
	}
	metrics <- gauge(dueOrganizations, float64(due.Organizations))
	metrics <- gauge(dueOverdue, due.Overdue.Seconds())
}
