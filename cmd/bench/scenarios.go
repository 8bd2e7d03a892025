package main

import (
	"slices"
	"time"
)

// clerkScenarios are the scenarios of `bench clerk`, at full size or the quick ones. The longest come first.
func clerkScenarios(quick bool) []scenario {
	pick := sizes(quick)
	minute := time.Duration(pick(60, 8)) * time.Second
	// A pause of the machine weighs more in a short run.
	used := float64(pick(95, 80))
	down := outage{organizations: pick(500, 50), failing: minute, hanging: minute}
	scenarios := []scenario{
		{name: "outage-plain", run: plainOutage{outage: down, patience: time.Duration(pick(180, 15)) * time.Second}.run,
			shows: "For comparison: the same with River's own retries of a unique job per organization."},
		{name: "outage", run: down.run,
			shows: "Clerk answers 503, then nothing; organizations change all the while."},
		{name: "outage-silent", run: outage{organizations: pick(500, 50), hanging: minute}.run,
			shows: "Clerk stops answering all at once; organizations change all the while."},
		{name: "late-60s", run: late{after: time.Minute, bound: 2 * time.Minute}.run,
			shows: "A push that timed out lands a minute later, over newer ones. Not with --quick."},
		{name: "rotated-key", run: rotatedKey{organizations: pick(200, 40), span: time.Duration(pick(20, 6)) * time.Second}.run,
			shows: "The secret key is replaced at Clerk, and later in the fleet."},
		{name: "budget-100", run: budget{limit: 100, organizations: pick(300, 60), used: used}.run,
			shows: "A backlog is drained on the limit of a development instance."},
		{name: "late-5s", run: late{after: 5 * time.Second, bound: 30 * time.Second}.run,
			shows: "As late-60s, after five seconds."},
		{name: "budget-1000", busy: true, run: budget{limit: production, organizations: pick(3000, 600), used: used}.run,
			shows: "A backlog is drained on the limit of a production instance."},
		{name: "fifty", busy: true,
			run:   fifty{organizations: 3000, processes: 50, killed: 25, after: 10 * time.Second, used: used}.run,
			shows: "The backlog is drained by fifty processes, half of which are killed. Not with --quick."},
		{name: "competitor", busy: true, run: competitor{organizations: pick(1500, 700), taken: production / 2, before: window}.run,
			shows: "Another application takes half of the limit, unannounced."},
		{name: "hot", busy: true, run: hot{hammer{rate: 1000, span: time.Duration(pick(20, 5)) * time.Second, writers: 4}}.run,
			shows: "One organization changes a thousand times a second."},
		{name: "poison", busy: true, run: poison{organizations: pick(1000, 200)}.run,
			shows: "Clerk refuses the state of one organization for good."},
	}
	if quick {
		return slices.DeleteFunc(scenarios, func(s scenario) bool { return s.name == "late-60s" || s.name == "fifty" })
	}
	return scenarios
}

// sizes chooses between a full size and a quick one.
func sizes(quick bool) func(full, quicker int) int {
	return func(full, quicker int) int {
		if quick {
			return quicker
		}
		return full
	}
}
