package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/claimsync/claimsync/db/triggers"
)

// changesLate is when a change should have been taken from the queue several times over.
const changesLate = 10 * time.Second

type triggersStatusCommand struct {
	databaseFlags
	JSON bool `name:"json" help:"Print as JSON."`
}

func (*triggersStatusCommand) Help() string {
	return `Says of each table how its triggers stand:

  installed  they are as this version makes them
  missing    there are none
  outdated   they are another version's: app triggers install replaces them
  disabled   somebody has switched them off: app triggers install enables them
  no table   it is a view: whoever made it sees to the changes

and how many of the changes that they noticed wait to be calculated; with an "app serve" running, none for longer than some
seconds.

Exit codes: 0, if all are installed, or none; 1, if some are and some are not.`
}

func (c *triggersStatusCommand) Run(ctx context.Context, a *app) error {
	pool, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer pool.Close()
	status, err := triggers.Read(ctx, pool)
	if err != nil {
		return err
	}
	queue, err := triggers.ReadQueue(ctx, pool)
	if err != nil {
		return err
	}
	if c.JSON {
		err = json.NewEncoder(a.stdout).Encode(triggersJSONOf(status, queue))
	} else {
		err = printTriggers(a.stdout, status, queue)
	}
	if err == nil && status.Amiss() {
		return errReported
	}
	return err
}

// triggersJSON is how the triggers stand, for programs.
type triggersJSON struct {
	State   string                               `json:"state"` // installed, missing, or amiss: some are, some are not
	Tables  map[string]map[string]triggers.State `json:"tables"`
	Waiting int64                                `json:"waiting"`
	Oldest  float64                              `json:"oldest_seconds"`
}

func triggersJSONOf(status triggers.Status, queue triggers.Queue) triggersJSON {
	j := triggersJSON{
		State: triggersState(status), Tables: map[string]map[string]triggers.State{},
		Waiting: queue.Waiting, Oldest: queue.Oldest.Seconds(),
	}
	for _, t := range status.Triggers {
		if j.Tables[t.Table] == nil {
			j.Tables[t.Table] = map[string]triggers.State{}
		}
		j.Tables[t.Table][t.Name] = t.State
	}
	return j
}

func triggersState(status triggers.Status) string {
	switch {
	case status.Absent():
		return "missing"
	case status.Complete():
		return "installed"
	default:
		return "amiss"
	}
}

// printTriggers has a line per table, or one per trigger where they are not alike.
func printTriggers(w io.Writer, status triggers.Status, queue triggers.Queue) error {
	table := newTable(w)
	for i := 0; i < len(status.Triggers); {
		first := status.Triggers[i]
		end, alike := i, true
		for ; end < len(status.Triggers) && status.Triggers[end].Table == first.Table; end++ {
			alike = alike && status.Triggers[end].State == first.State
		}
		if alike {
			_, _ = fmt.Fprintf(table, "%s\t%s\n", first.Table, triggerStateInWords(first.State))
		} else {
			for _, t := range status.Triggers[i:end] {
				_, _ = fmt.Fprintf(table, "%s: %s\t%s\n", t.Table, t.Name, triggerStateInWords(t.State))
			}
		}
		i = end
	}
	if err := table.Flush(); err != nil {
		return err
	}
	return printParagraphs(w, append([]string{""}, triggersInWords(status, queue)...))
}

func triggerStateInWords(state triggers.State) string {
	if state == triggers.NoTable {
		return "no table"
	}
	return string(state)
}

func triggersInWords(status triggers.Status, queue triggers.Queue) (said []string) {
	switch {
	case status.Absent():
		said = append(said, "What others than claimsync write is not noticed. To have it noticed: app triggers install")
	case status.Complete():
		said = append(said, "What others than claimsync write is noticed.")
	default:
		said = append(said, "Not all that others than claimsync write is noticed. To mend it: app triggers install, "+
			"and then, for what was missed, app recalculate --all")
	}
	switch {
	case queue.Waiting == 0:
		said = append(said, "No change waits to be calculated.")
	case queue.Oldest < changesLate:
		said = append(said, fmt.Sprintf("Changes that wait to be calculated: %d.", queue.Waiting))
	default:
		said = append(said, fmt.Sprintf("Changes that wait to be calculated: %d, the first for %s. Is any app serve running? "+
			"app status tells.", queue.Waiting, queue.Oldest.Round(time.Second)))
	}
	return said
}

func newTable(w io.Writer) *tabwriter.Writer { return tabwriter.NewWriter(w, 0, 0, 2, ' ', 0) }
