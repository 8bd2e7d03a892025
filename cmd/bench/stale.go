package main

import "context"

type staleCommand struct{ suite }

func (*staleCommand) Help() string {
	return `Starts a private PostgreSQL, builds the program, and for each scenario starts processes of it on a database and an
emulated Clerk of their own. The scenarios run one after the other. What each one shows:

` + scenarioList(staleScenarios(false)) + `
The result goes to standard output, how it goes to standard error. Ctrl-C stops everything.

  go run ./cmd/bench stale --rounds 3          # what the README's figures are of; about twenty minutes
  go run ./cmd/bench stale --only expiry,month
  go run ./cmd/bench stale --quick --json`
}

func (c *staleCommand) Run(ctx context.Context, t terminal) error {
	return c.play(ctx, t, staleScenarios(c.Quick))
}
