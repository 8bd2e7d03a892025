package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/claimsync/claimsync"
	"github.com/claimsync/claimsync/internal/timewords"
)

type statusCommand struct {
	databaseFlags
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

Then how much is pushed and how much may be, which processes push, and what
keeps all organizations from being pushed, if anything does: Clerk's
Retry-After, the breaker, a paused queue. At last what the last drift check
found: clean ones that were changed at Clerk. "app why ID" tells of a single one.

With --watch, large numbers are not counted to the end.`
}

func (c *statusCommand) Run(ctx context.Context, a *app) error {
	t, err := c.openTool(ctx, a.logger)
	if err != nil {
		return err
	}
	defer t.close()
	return c.look(ctx, a, c.JSON, func(ctx context.Context, w io.Writer) error { return c.print(ctx, w, t) })
}

func (c *statusCommand) print(ctx context.Context, w io.Writer, t *tool) error {
	overview, err := t.sync.Overview(ctx, t.river)
	if err != nil {
		return err
	}
	if !c.Watch || c.JSON { // who looks again and again has no use for what costs a scan
		if err := countExactly(ctx, t, &overview); err != nil {
			return err
		}
	}
	if c.JSON {
		return json.NewEncoder(w).Encode(statusJSON(&overview))
	}
	_, verdict := overview.Verdict()
	if _, err := fmt.Fprintf(w, "%s\n\n", wrapped(verdict)); err != nil {
		return err
	}
	if err := printStatus(w, &overview); err != nil {
		return err
	}
	if err := printParked(w, overview.Parked); err != nil {
		return err
	}
	return printParagraphs(w, append(overview.Gate.InWords(), overview.Drift.InWords(overview.Gate.Now)...))
}

// countExactly puts all of them for the counts that end somewhere.
func countExactly(ctx context.Context, t *tool, o *claimsync.Overview) error {
	s, err := t.sync.Status(ctx)
	if err != nil {
		return err
	}
	exactly := func(n int64) claimsync.Count { return claimsync.Count{N: n} }
	o.Counts = claimsync.Counts{
		Organizations: exactly(s.Organizations), InStep: exactly(s.Clean), Dirty: exactly(s.Dirty), Parked: exactly(s.Parked),
		Unlinked: exactly(s.Unlinked),
	}
	o.Parked = make([]claimsync.ParkedGroup, len(s.ParkedReasons))
	for i, reason := range s.ParkedReasons {
		o.Parked[i] = claimsync.ParkedGroup{
			Reason: reason.Reason, Organizations: exactly(reason.Rows), LastParkedAt: reason.LastParkedAt,
		}
	}
	return nil
}

func printStatus(w io.Writer, o *claimsync.Overview) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, line := range []struct {
		name  string
		count claimsync.Count
	}{
		{"organizations", o.Counts.Organizations}, {"clean", o.Counts.InStep}, {"dirty", o.Counts.Dirty},
		{"parked", o.Counts.Parked}, {"unlinked", o.Counts.Unlinked},
	} {
		_, _ = fmt.Fprintf(table, "%s\t%s\n", line.name, plainly(line.count))
	}
	oldest := "none is on its way"
	if o.OldestDirtyAge > 0 {
		oldest = fmt.Sprintf("has waited for %s, of %s at most", timewords.Span(o.OldestDirtyAge), timewords.Span(claimsync.Objective))
	}
	_, _ = fmt.Fprintf(table, "oldest change\t%s\n", oldest)
	_, _ = fmt.Fprintf(table, "pushed\t%s\n", pushedInWords(o.Budget))
	_, _ = fmt.Fprintf(table, "processes\t%s\n", fleetInWords(o.Fleet, o.FleetMore))
	if err := table.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintln(w)
	return err
}

// plainly has bare digits for a count that is exact, for scripts that read it.
func plainly(c claimsync.Count) string {
	if c == (claimsync.Count{N: c.N}) {
		return strconv.FormatInt(c.N, 10)
	}
	return c.String()
}

func pushedInWords(b claimsync.BudgetUse) string {
	text := fmt.Sprintf("%.1f/s in the last minute", b.Used)
	if b.Known && b.PerSecond > 0 {
		text += fmt.Sprintf(", of %.1f/s", b.PerSecond)
	}
	if b.Failed > 0 {
		text += fmt.Sprintf("; %.1f/s failed", b.Failed)
	}
	return text
}

// versionWidth is how much of a version is shown: enough to tell two apart, and for two on a line.
const versionWidth = 20

// fleetInWords counts the living by version, as during a deploy, and the dead.
func fleetInWords(fleet []claimsync.Process, more int64) string {
	alive, versions := living(fleet)
	if len(fleet) == 0 {
		return "none"
	}
	text := fmt.Sprintf("%d alive", alive)
	switch {
	case len(versions) > 2:
		text += fmt.Sprintf(", %d versions", len(versions))
	case alive > 0:
		text += ", version " + strings.Join(versions, " and ")
	}
	if vanished := int64(len(fleet)-alive) + more; vanished > 0 {
		text += fmt.Sprintf("; %d vanished today", vanished)
	}
	return text
}

// living counts the processes that are alive, and collects their versions, as far as they are shown.
func living(fleet []claimsync.Process) (alive int, versions []string) {
	for _, process := range fleet {
		if !process.Alive {
			continue
		}
		alive++
		if version := shortened(process.Version, versionWidth); !slices.Contains(versions, version) {
			versions = append(versions, version)
		}
	}
	return alive, versions
}

// printParked says what was given up on for what, and what to do about it.
func printParked(w io.Writer, groups []claimsync.ParkedGroup) error {
	if len(groups) == 0 {
		return nil
	}
	counts := make([]string, len(groups))
	for i, parked := range groups {
		counts[i] = fmt.Sprintf("%s for %q", plainly(parked.Organizations), parked.Reason)
	}
	return printParagraphs(w, []string{
		"Parked: " + strings.Join(counts, ", ") + ". To have them pushed again: app redrive --all",
	})
}
