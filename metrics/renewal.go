package metrics

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/claimsync/claimsync"
)

var (
	renewalBehind = prometheus.NewDesc(prometheus.BuildFQName(namespace, "renewal", "behind_seconds"),
		"How late the renewal of claims is, and so how much older than they should get they become; 0: it is in time.", nil, nil)
	renewalEvery = prometheus.NewDesc(prometheus.BuildFQName(namespace, "renewal", "interval_seconds"),
		"How often, at least, every organization is to be pushed again.", nil, nil)
)

type renewalCollector struct{ sync *claimsync.Sync }

func (c renewalCollector) Describe(descs chan<- *prometheus.Desc) {
	descs <- renewalBehind
	descs <- renewalEvery
}

// Collect leaves out what it cannot read, and all of it where nothing is renewed: then nothing can be late.
func (c renewalCollector) Collect(metrics chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), backlogTimeout)
	defer cancel()
	behind, ok, err := c.sync.RenewalBehind(ctx)
	if err != nil || !ok {
		return // claimsync_outbox_up says so
	}
	metrics <- gauge(renewalBehind, behind.Seconds())
	metrics <- gauge(renewalEvery, c.sync.RenewEvery().Seconds())
}
