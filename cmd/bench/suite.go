package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// suite are the flags of a command that plays scenarios, and how it does.
type suite struct {
	Rounds   int      `default:"1" placeholder:"N" help:"How often every scenario runs; shown is the worst of each figure, or the range where nothing is promised."`
	Only     []string `placeholder:"NAME" help:"Run these scenarios only, by their names as above, separated by commas."`
	Quick    bool     `help:"Smaller and shorter versions, about a minute in all: enough for CI, not for figures."`
	JSON     bool     `name:"json" xor:"format" help:"Print as JSON."`
	Markdown bool     `xor:"format" help:"Print as a table in Markdown."`
}

// scenarioList is a part of a command's help.
func scenarioList(scenarios []scenario) (text string) {
	for _, s := range scenarios {
		text += fmt.Sprintf("  %-14s %s\n", s.name, s.shows)
	}
	return text
}

// play plays those of the scenarios that were asked for, and prints the report.
func (c *suite) play(ctx context.Context, t terminal, all []scenario) (err error) {
	scenarios, err := c.choose(all)
	if err != nil {
		return err
	}
	r, err := newRig(ctx)
	if err != nil {
		return interrupted(ctx, err)
	}
	defer func() { err = errors.Join(err, r.close()) }()

	progress := newProgress(t.stderr, c.Rounds*len(scenarios))
	var outcomes []outcome
	for range c.Rounds {
		outcomes = append(outcomes, r.round(ctx, scenarios, progress)...)
	}
	progress.close()
	if ctx.Err() != nil {
		return interrupted(ctx, nil)
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

// choose returns those that were asked for, in the order of the list.
func (c *suite) choose(all []scenario) ([]scenario, error) {
	if c.Rounds < 1 {
		return nil, usageError{fmt.Errorf("--rounds must be at least 1, got %d", c.Rounds)}
	}
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

func (c *suite) print(t terminal, r report) error {
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
func interrupted(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return errors.New("interrupted")
	}
	return err
}
