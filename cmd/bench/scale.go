package main

import (
	"context"
	"time"
)

type scaleCommand struct{ suite }

func (*scaleCommand) Help() string {
	return `Starts a private PostgreSQL, builds the program, and measures what one process, one organization, one change and one push
cost: what docs/scaling.md reckons with. Nothing is promised, so no bound can break. The scenarios run one after the other:

` + scenarioList(scaleScenarios(false)) + `
The result goes to standard output, how it goes to standard error. Ctrl-C stops everything.

  go run ./cmd/bench scale                     # what docs/scaling.md's figures are of; about four minutes
  go run ./cmd/bench scale --quick --json`
}

func (c *scaleCommand) Run(ctx context.Context, t terminal) error {
	return c.play(ctx, t, scaleScenarios(c.Quick))
}

// scaleScenarios are the scenarios of `bench scale`, at full size or the quick ones.
func scaleScenarios(quick bool) []scenario {
	pick := sizes(quick)
	return []scenario{
		{name: "idle", busy: true, run: idle{fleets: []int{1, pick(10, 3)}, span: time.Duration(pick(15, 3)) * time.Second}.run,
			shows: "One process, and then ten, have nothing to do."},
		{name: "push", busy: true, run: pushed{organizations: pick(3000, 300)}.run,
			shows: "Organizations change, and one process pushes all of them, with no rate limit."},
		{name: "size", busy: true, run: tableSizes{organizations: pick(50_000, 5_000)}.run,
			shows: "The tables of 50,000 organizations with 45 facts each."},
	}
}
