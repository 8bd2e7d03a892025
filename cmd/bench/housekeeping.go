package main

import "context"

type housekeepingCommand struct{ suite }

func (*housekeepingCommand) Help() string {
	return `Starts a private PostgreSQL, and has the outbox deliver ten times as much as Clerk admits, while what is old is deleted:
to show that neither tables nor latencies grow. Clerk, River and processes of the program play no part: the point is the
database.
Time is shortened: what is kept for days is kept for seconds, and PostgreSQL looks every second for what to vacuum.

` + scenarioList(housekeepingScenarios(false)) + `
The result goes to standard output, how it goes to standard error. Ctrl-C stops everything.

  go run ./cmd/bench housekeeping              # what docs/housekeeping.md's figures are of; 17 min
  go run ./cmd/bench housekeeping --quick --json`
}

func (c *housekeepingCommand) Run(ctx context.Context, t terminal) error {
	return c.play(ctx, t, housekeepingScenarios(c.Quick))
}
