package metrics

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/claimsync/claimsync"
)

var (
	processes = prometheus.NewDesc(prometheus.BuildFQName(namespace, "", "processes"),
		"Processes that deliver: alive, or silent since they died or stand still, which is known of for a day.",
		[]string{"state"}, nil)
	buildInfo = prometheus.NewDesc(prometheus.BuildFQName(namespace, "build", "info"),
		"Always 1: the version of this process.", []string{"version"}, nil)
	objective = prometheus.NewDesc(prometheus.BuildFQName(namespace, "outbox", "objective_seconds"),
		"How old the oldest change on its way should ever be.", nil, nil)
)

// WatchFleet adds which processes are alive and how late renewal is, read from the database at each scrape, with this one's
// version and what the fleet is to achieve. Call it once.
func (m *Metrics) WatchFleet(sync *claimsync.Sync) {
	m.registry.MustRegister(fleetCollector{sync}, renewalCollector{sync})
}

type fleetCollector struct{ sync *claimsync.Sync }

func (c fleetCollector) Describe(descs chan<- *prometheus.Desc) {
	descs <- processes
	descs <- buildInfo
	descs <- objective
}

// Collect leaves out what it cannot read: an old number would look like a new one.
func (c fleetCollector) Collect(metrics chan<- prometheus.Metric) {
	metrics <- gauge(buildInfo, 1, c.sync.Version())
	metrics <- gauge(objective, claimsync.Objective.Seconds())

	ctx, cancel := context.WithTimeout(context.Background(), backlogTimeout)
	defer cancel()
	fleet, more, err := c.sync.Processes(ctx)
	if err != nil {
		return // claimsync_outbox_up says so
	}
	alive := 0
	for _, process := range fleet {
		if process.Alive {
			alive++
		}
	}
	metrics <- gauge(processes, float64(alive), "alive")
	metrics <- gauge(processes, float64(len(fleet)-alive)+float64(more), "silent")
}
