// Package metrics says in Prometheus' language how the outbox does: what is delivered and how fast, what waits and for
// how long, and what was given up on.
//
//	m := metrics.New()
//	client, err := clerk.New(clerk.Config{Transport: m.WatchClerk(clerk.NewTransport()), …})
//	sync, err := claimsync.New(claimsync.Config{Pool: pool, Clerk: client, Observer: m, …})
//	m.WatchPool(pool)
//	m.WatchOutbox(pool, sync.Outbox(), claimsync.Topic)
//	m.WatchScores(pool)
//	m.WatchDrift(pool, claimsync.Topic, sync.DriftEvery())
//	m.WatchFleet(sync)
//	mux.Handle("GET /metrics", m.Handler())
//
// What is worth an alert, from when on and why, is in ops/alerts.yaml, ready to be loaded; ops/dashboard.json shows the
// rest. What the Watch methods add is read from the database at each scrape, so every process of the fleet answers the
// same. That costs milliseconds, however many organizations there are: what is counted is counted up to a bound. What a
// process counts itself begins with it.
//
// No label has the id of an organization, or anything else that there may be any number of.
package metrics
