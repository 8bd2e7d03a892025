// Package metrics says in Prometheus' language how the outbox does: what is delivered and how fast, what waits and for
// how long, and what was given up on.
//
//	m := metrics.New()
//	sync, err := claimsync.New(claimsync.Config{Pool: pool, Observer: m, …})
//	m.WatchPool(pool)
//	m.WatchOutbox(pool, sync.Outbox(), claimsync.Topic)
//	mux.Handle("GET /metrics", m.Handler())
//
// Worth an alert: claimsync_outbox_oldest_dirty_age_seconds (a change does not get through),
// claimsync_outbox_parked_rows (somebody has to look), increase(claimsync_swept_rows_total) (jobs are lost), and
// claimsync_outbox_up == 0.
package metrics
