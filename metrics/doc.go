// Package metrics says in Prometheus' language how the outbox does: what is delivered and how fast, what waits and for
// how long, and what was given up on.
//
//	m := metrics.New()
//	sync, err := claimsync.New(claimsync.Config{Pool: pool, Observer: m, …})
//	m.WatchPool(pool)
//	m.WatchOutbox(pool, sync.Outbox(), claimsync.Topic)
//	mux.Handle("GET /metrics", m.Handler())
//
// Worth an alert:
//
//   - claimsync_outbox_oldest_dirty_age_seconds: a change does not get through.
//   - claimsync_outbox_parked_rows > 0: somebody has to look, see app status.
//   - claimsync_breaker_open{cause="configuration"} == 1: nothing gets through until somebody mends it, at once.
//     cause="outage" recovers by itself, and is worth a person's attention only if it lasts; cause="operator" may have been
//     forgotten.
//   - increase(claimsync_deliveries_total{outcome="wait"}) for long, or claimsync_budget_used_ratio < 0.5: we are rate
//     limited (429) though we keep to our budget, so others use the same key. claimsync_destination_blocked_seconds says how
//     long everybody waits; more than a minute is unusual.
//   - increase(claimsync_swept_rows_total): jobs are lost.
//   - claimsync_due_overdue_seconds > 60: scores are stale, since nobody recalculates them or some cannot be.
//   - claimsync_drift_contested_organizations > 0: somebody else writes our keys at Clerk, see app drift.
//   - claimsync_drift_organizations{kind="changed"} > 0 and the other kinds: Clerk was changed behind our back. A periodic
//     check repairs it, so it is worth an alert if it comes back day by day; missing_organization is not repaired, and
//     unknown_organization usual where others use the instance too.
//   - claimsync_drift_check_age_seconds > 2 * 86400, or increase(claimsync_drift_checks_total{result="failed"}) for long: nobody
//     compares, see app status.
//   - increase(claimsync_clerk_events_total{outcome="contested"}): somebody else writes our values at Clerk again and again.
//     outcome="conflict": a Clerk organization names one of ours that is linked to another. outcome="refused": webhooks that are
//     not signed with our secret, or a clock that is wrong. outcome="failed": they could not be handled, and Clerk sends them
//     again for about a day.
//   - claimsync_outbox_up == 0: what is read from the database, all but the deliveries, is missing.
package metrics
