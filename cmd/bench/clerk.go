package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

type clerkCommand struct {
	Rounds   int      `default:"1" placeholder:"N" help:"How often every scenario runs; shown is the worst of each figure, or the range where nothing is promised."`
	Only     []string `placeholder:"NAME" help:"Run these scenarios only, such as outage,hot."`
	Quick    bool     `help:"Smaller and shorter versions, about a minute in all: enough for CI, not for figures."`
	JSON     bool     `name:"json" xor:"format" help:"Print as JSON."`
	Markdown bool     `xor:"format" help:"Print as a table in Markdown."`
}

func (*clerkCommand) Help() string {
	text := `Starts a private PostgreSQL, builds the program, and for each scenario starts processes of it ("app serve") on a
database and an emulated Clerk of their own. The scenarios run side by side: they mostly wait. What each one shows:

`
	for _, s := range clerkScenarios(false) {
		text += fmt.Sprintf("  %-14s %s\n", s.name, s.shows)
	}
	return text + `
The result goes to standard output, how it goes to standard error. Ctrl-C stops everything.

  go run ./cmd/bench clerk --rounds 3          # what the README's figures are of; about a quarter of an hour
  go run ./cmd/bench clerk --only outage,hot
  go run ./cmd/bench clerk --quick --json`
}

func (c *clerkCommand) Run(ctx context.Context, t terminal) (err error) {
	scenarios, err := c.scenarios()
	if err != nil {
		return err
	}
	r, err := newRig(ctx)
	if err != nil {
		return c.interrupted(ctx, err)
	}
	defer func() { err = errors.Join(err, r.close()) }()

	progress := newProgress(t.stderr, c.Rounds*len(scenarios))
	var outcomes []outcome
	for range c.Rounds {
		outcomes = append(outcomes, r.round(ctx, scenarios, progress)...)
	}
	progress.close()
	if ctx.Err() != nil {
		return c.interrupted(ctx, nil)
	}
	result := report{Machine: r.machine, Rounds: c.Rounds, Quick: c.Quick, Rows: worst(scenarios, outcomes)}
	if err := c.print(t, result); err != nil {
		return err
	}
	if !result.held() {
		return errBroken
	}
	return nil
}

// scenarios are those that were asked for, in the order of the list.
func (c *clerkCommand) scenarios() ([]scenario, error) {
	if c.Rounds < 1 {
		return nil, usageError{fmt.Errorf("--rounds must be at least 1, got %d", c.Rounds)}
	}
	all := clerkScenarios(c.Quick)
	var names []string
	for _, s := range all {
		names = append(names, s.name)
	}
	for _, name := range c.Only {
		if !slices.Contains(names, name) {
			return nil, usageError{fmt.Errorf("there is no scenario %q; there are: %s", name, strings.Join(names, ", "))}
		}
	}
	if len(c.Only) == 0 {
		return all, nil
	}
	return slices.DeleteFunc(all, func(s scenario) bool { return !slices.Contains(c.Only, s.name) }), nil
}

func (c *clerkCommand) print(t terminal, r report) error {
	switch {
	case c.JSON:
		return r.printJSON(t.stdout)
	case c.Markdown:
		return r.printMarkdown(t.stdout)
	default:
		return r.printText(t.stdout)
	}
}

// interrupted replaces what went wrong because everything was told to stop.
func (*clerkCommand) interrupted(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return errors.New("interrupted")
	}
	return err
}
