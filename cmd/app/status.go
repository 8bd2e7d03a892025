package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/claimsync/claimsync"
	"github.com/claimsync/claimsync/outbox"
)

type statusCommand struct {
	databaseFlags
	rateFlags
	watchFlags
	JSON bool `name:"json" help:"Print as JSON."`
}

func (*statusCommand) Help() string {
	return `Says in a sentence whether there is anything to worry about, and counts the
organizations by where they stand:

  clean     Clerk equals the latest committed state
  dirty     a change is on its way
  parked    given up on until it changes or "app redrive" says otherwise
  unlinked  no Clerk id, so nothing to push to

Then how much is pushed and how much may be (give the rate limits that "app
serve" has, if they are not the defaults), which processes push, and what keeps
all organizations from being pushed, if anything does: Clerk's Retry-After, the
breaker, a paused queue. At last what the last drift check found: clean ones that
were changed at Clerk. "app why ID" tells of a single one.`
}

func (c *statusCommand) Run(ctx context.Context, a *app) error {
	if err := c.rateFlags.check(); err != nil {
		return err
	}
	t, err := c.openRatedTool(ctx, a.logger, c.rateFlags)
	if err != nil {
		return err
	}
	defer t.close()
	return c.look(ctx, a, func(w io.Writer) error { return c.print(ctx, w, t) })
}

func (c *statusCommand) print(ctx context.Context, w io.Writer, t *tool) error {
	status, err := t.sync.Status(ctx)
	if err != nil {
		return err
	}
	overview, err := t.sync.Overview(ctx, t.river)
	if err != nil {
		return err
	}
	if c.JSON {
		return json.NewEncoder(w).Encode(statusJSON(status, &overview))
	}
	_, verdict := overview.Verdict()
	if _, err := fmt.Fprintf(w, "%s\n\n", wrapped(verdict)); err != nil {
		return err
	}
	if err := printStatus(w, status, &overview); err != nil {
		return err
	}
	if err := printParked(w, status.ParkedReasons); err != nil {
		return err
	}
	return printParagraphs(w, append(overview.Gate.InWords(), overview.Drift.InWords(overview.Gate.Now)...))
}

func printStatus(w io.Writer, s claimsync.Status, o *claimsync.Overview) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, line := range []struct {
		name  string
		count int64
	}{
		{"organizations", s.Organizations}, {"clean", s.Clean}, {"dirty", s.Dirty}, {"parked", s.Parked},
		{"unlinked", s.Unlinked},
	} {
		_, _ = fmt.Fprintf(table, "%s\t%d\n", line.name, line.count)
	}
	oldest := "none is on its way"
	if s.Dirty > 0 {
		oldest = fmt.Sprintf("has waited for %s, of %s at most", claimsync.Span(s.OldestDirtyAge), claimsync.Span(claimsync.Objective))
	}
	_, _ = fmt.Fprintf(table, "oldest change\t%s\n", oldest)
	_, _ = fmt.Fprintf(table, "pushed\t%s\n", pushedInWords(o.Budget))
	_, _ = fmt.Fprintf(table, "processes\t%s\n", fleetInWords(o.Fleet))
	if err := table.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintln(w)
	return err
}

func pushedInWords(b claimsync.BudgetUse) string {
	text := fmt.Sprintf("%.1f/s in the last minute", b.Used)
	if b.PerSecond > 0 {
		text += fmt.Sprintf(", of %.1f/s", b.PerSecond)
	}
	if b.Failed > 0 {
		text += fmt.Sprintf("; %.1f/s failed", b.Failed)
	}
	return text
}

// fleetInWords counts the living by version, as during a deploy, and the dead.
func fleetInWords(fleet []claimsync.Process) string {
	alive, versions := 0, []string{}
	for _, process := range fleet {
		if !process.Alive {
			continue
		}
		alive++
		if !slices.Contains(versions, process.Version) {
			versions = append(versions, process.Version)
		}
	}
	if len(fleet) == 0 {
		return "none"
	}
	text := fmt.Sprintf("%d alive", alive)
	if alive > 0 {
		text += ", version " + strings.Join(versions, " and ")
	}
	if vanished := len(fleet) - alive; vanished > 0 {
		text += fmt.Sprintf("; %d vanished today", vanished)
	}
	return text
}

// printParked says what was given up on for what, and what to do about it.
func printParked(w io.Writer, reasons []outbox.ParkedReason) error {
	if len(reasons) == 0 {
		return nil
	}
	counts := make([]string, len(reasons))
	for i, parked := range reasons {
		counts[i] = fmt.Sprintf("%d for %q", parked.Rows, parked.Reason)
	}
	return printParagraphs(w, []string{
		"Parked: " + strings.Join(counts, ", ") + ". To have them pushed again: app redrive --all",
	})
}
