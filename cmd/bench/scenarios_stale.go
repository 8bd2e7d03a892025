package main

import "time"

// staleScenarios are the scenarios of `bench stale`, at full size or the quick ones. All keep the processors busy.
func staleScenarios(quick bool) []scenario {
	pick := sizes(quick)
	seconds := func(full, quicker int) time.Duration { return time.Duration(pick(full, quicker)) * time.Second }
	live := liveTraffic{organizations: pick(5000, 500), idle: seconds(20, 5)}
	return []scenario{
		{name: "expiry", busy: true, run: expiry{
			organizations: pick(100_000, 10_000), policies: pick(300, 60), after: seconds(20, 8), span: seconds(30, 6),
		}.run, shows: "Policies expire, in a database with 100,000 organizations."},
		{name: "month", busy: true, run: month{
			lapsed: pick(200, 40), aged: pick(3800, 360), overtaken: float64(pick(5, 50)),
		}.run, shows: "The service was down for a month, and everything is due at once."},
		{name: "drift", busy: true, run: edited{organizations: pick(5000, 1000), edits: pick(50, 10)}.run,
			shows: "Somebody edits 50 of 5,000 organizations at Clerk by hand."},
		{name: "resync", busy: true, run: live.besideResync,
			shows: "Organizations change while app resync --all has all pushed again."},
		{name: "rescore", busy: true, run: live.besideRecalculation,
			shows: "As resync, while app recalculate --all changes all scores."},
		{name: "recalculate", busy: true, run: recalculation{
			organizations: pick(100_000, 10_000), most: seconds(60, 12), // a pause of the machine weighs more in a short run
		}.run, shows: "app recalculate --all over 100,000 organizations with 45 facts each."},
	}
}
