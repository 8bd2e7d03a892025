package metrics

import (
	"context"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/claimsync/claimsync/db/triggers"
)

var triggersByState = prometheus.NewDesc(prometheus.BuildFQName(namespace, "", "triggers"),
	"Triggers for foreign writers: installed, or missing, outdated or disabled beside such; all 0: nobody has installed any.",
	[]string{"state"}, nil)

// triggersCollector asks anew at each scrape: it is two queries of the catalog.
type triggersCollector struct{ pool *pgxpool.Pool }

func (c triggersCollector) Describe(descs chan<- *prometheus.Desc) { descs <- triggersByState }

// Collect leaves out what it cannot read. Where nobody has installed any, none is missing.
func (c triggersCollector) Collect(metrics chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), backlogTimeout)
	defer cancel()
	status, err := triggers.Read(ctx, c.pool)
	if err != nil {
		return // claimsync_outbox_up says so
	}
	for _, state := range []triggers.State{triggers.Installed, triggers.Missing, triggers.Outdated, triggers.Disabled} {
		count := status.Count(state)
		if status.Absent() {
			count = 0
		}
		metrics <- gauge(triggersByState, float64(count), string(state))
	}
}
