package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/claimsync/claimsync"
	"github.com/claimsync/claimsync/outbox"
)

type statusCommand struct {
	databaseFlags
	JSON bool `name:"json" help:"Print as JSON."`
}

func (*statusCommand) Help() string {
	return `Counts the organizations by where they stand:

  clean     Clerk equals the latest committed state
  dirty     a change is on its way
  parked    given up on until it changes or "app redrive" says otherwise
  unlinked  no Clerk id, so nothing to push to

and says what keeps all of them from being pushed, if anything does: Clerk's
Retry-After, the breaker, a paused queue. Then what the last drift check found:
clean ones that were changed at Clerk. "app why ID" tells of a single one.`
}

func (c *statusCommand) Run(ctx context.Context, a *app) error {
	t, err := c.openTool(ctx, a.logger)
	if err != nil {
		return err
	}
	defer t.close()
	status, err := t.sync.Status(ctx)
	if err != nil {
		return err
	}
	gate, err := t.sync.Gate(ctx, t.river)
	if err != nil {
		return err
	}
	drift, err := t.sync.LastDriftCheck(ctx)
	if err != nil {
		return err
	}
	if c.JSON {
		return json.NewEncoder(a.stdout).Encode(statusJSON(status, gate, drift))
	}
	if err := printStatus(a.stdout, status); err != nil {
		return err
	}
	return printParagraphs(a.stdout, append(gate.InWords(), drift.InWords(gate.Now)...))
}

func statusJSON(s claimsync.Status, gate claimsync.Gate, drift claimsync.LastDriftCheck) any {
	reasons := make(map[string]int64, len(s.ParkedReasons))
	for _, parked := range s.ParkedReasons {
		reasons[parked.Reason] = parked.Rows
	}
	return struct {
		Organizations         int64            `json:"organizations"`
		Clean                 int64            `json:"clean"`
		Dirty                 int64            `json:"dirty"`
		Parked                int64            `json:"parked"`
		ParkedReasons         map[string]int64 `json:"parked_reasons"`
		Unlinked              int64            `json:"unlinked"`
		OldestDirtyAgeSeconds float64          `json:"oldest_dirty_age_seconds"`
		gateJSON
		Drift *lastDriftJSON `json:"drift"` // null: no check has ended yet
	}{
		s.Organizations, s.Clean, s.Dirty, s.Parked, reasons, s.Unlinked, s.OldestDirtyAge.Seconds(),
		gateJSONOf(gate), lastDriftJSONOf(drift),
	}
}

func printStatus(w io.Writer, s claimsync.Status) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	for _, line := range []struct {
		name  string
		count int64
	}{
		{"organizations", s.Organizations}, {"clean", s.Clean}, {"dirty", s.Dirty}, {"parked", s.Parked},
		{"unlinked", s.Unlinked},
	} {
		_, _ = fmt.Fprintf(table, "%s\t%d\t\n", line.name, line.count)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if s.Dirty > 0 {
		_, _ = fmt.Fprintf(w, "The oldest change has been waiting for %s.\n", s.OldestDirtyAge.Round(time.Millisecond))
	}
	return printParked(w, s.ParkedReasons)
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
		"Parked: " + strings.Join(counts, ", ") + ". To have them pushed again: app redrive",
	})
}
