package main

import (
	"context"
	"slices"
	"time"
)

type speedCommand struct{ suite }

func (*speedCommand) Help() string {
	return `Starts a private PostgreSQL whose commits wait for the disk, builds the program, and compares what claimsync costs and how fast
it is with what one would do instead: with no outbox at all, with a unique River job per change, and with a call after the
commit that nobody repeats. What is compared takes short turns, so that what else the machine does hits all of it; figures are
medians of the turns. The scenarios run one after the other:

` + scenarioList(speedScenarios(false)) + `
The result goes to standard output, how it goes to standard error. Ctrl-C stops everything.

  go run ./cmd/bench speed                     # the figures of the README
  go run ./cmd/bench speed --only transaction --rounds 3
  go run ./cmd/bench speed --quick             # half as much is promised: enough to notice what has become a lot slower`
}

func (c *speedCommand) Run(ctx context.Context, t terminal) error {
	return c.play(ctx, t, speedScenarios(c.Quick))
}

// speedScenarios are the scenarios of `bench speed`, at full size or the quick ones. The quick ones promise half as much, or
// ten times as long: a few short turns, on a machine that does other things too, tell only what has become a lot slower.
func speedScenarios(quick bool) []scenario {
	pick := sizes(quick)
	ratio := func(least float64) float64 { return least / float64(pick(1, 2)) }
	patience := func(most time.Duration) time.Duration { return most * time.Duration(pick(1, 10)) }
	span := func(full, quicker int) time.Duration { return time.Duration(pick(full, quicker)) * time.Second }
	turns := turns{number: pick(15, 4), length: time.Duration(pick(500, 200)) * time.Millisecond}
	scenarios := []scenario{
		{name: "transaction", busy: true, run: transaction{
			turns: turns, connections: []int{8, 32}, organizations: pick(20_000, 5_000), promise: ratio,
		}.run, shows: "What a change costs in its transaction: its outbox row, its job."},
		{name: "calculation", busy: true, run: revision{
			turns: turns, connections: 8, organizations: pick(10_000, 4_000), promise: ratio,
		}.run, shows: "An organization is calculated and stored, in a transaction of its own."},
		{name: "latency", busy: true, run: latency{
			organizations: 500, changes: pick(300, 25), promise: patience,
			busy: hammer{rate: 100, span: span(30, 5), writers: 4},
		}.run, shows: "From the commit of a change until Clerk has it, with no limit."},
		{name: "saved", busy: true, run: saved{
			organizations: 20, hammer: hammer{rate: 1000, span: span(30, 5), writers: 8},
		}.run, shows: "Twenty organizations change a thousand times a second."},
		{name: "ceiling", busy: true, run: ceiling{organizations: 3000, rounds: 5, promise: ratio}.run,
			shows: "A backlog is pushed to a Clerk that answers at once, with no limit. Not with --quick."},
		{name: "footprint", busy: true, run: footprint{span: span(60, 5), starts: pick(5, 1)}.run,
			shows: "What a process takes that has nothing to do."},
	}
	if quick {
		return slices.DeleteFunc(scenarios, func(s scenario) bool { return s.name == "ceiling" })
	}
	return scenarios
}
