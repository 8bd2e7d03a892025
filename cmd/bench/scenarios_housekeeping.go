package main

import "time"

// housekeepingScenarios are the scenarios of `bench housekeeping`.
func housekeepingScenarios(quick bool) []scenario {
	pick := sizes(quick)
	return []scenario{
		{name: "million", busy: true, run: million{
			deliveries: pick(1_000_000, 20_000), organizations: pick(20_000, 2_000), rate: 1000, workers: 8,
			retention: time.Duration(pick(60, 2)) * time.Second,
			slower:    float64(pick(15, 60)) / 10, // a pause of the machine weighs more in a short run
		}.run, shows: "A million deliveries, one after the other, of which the old ones go."},
	}
}
