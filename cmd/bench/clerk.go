package main

import "context"

type clerkCommand struct{ suite }

func (*clerkCommand) Help() string {
	return `Starts a private PostgreSQL, builds the program, and for each scenario starts processes of it ("app serve") on a
database and an emulated Clerk of their own. The scenarios run side by side: they mostly wait. What each one shows:

` + scenarioList(clerkScenarios(false)) + `
The result goes to standard output, how it goes to standard error. Ctrl-C stops everything.

  go run ./cmd/bench clerk --rounds 3          # what the README's figures are of; about a quarter of an hour
  go run ./cmd/bench clerk --only outage,hot
  go run ./cmd/bench clerk --quick --json`
}

func (c *clerkCommand) Run(ctx context.Context, t terminal) error {
	return c.play(ctx, t, clerkScenarios(c.Quick))
}
