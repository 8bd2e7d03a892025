package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/claimsync/claimsync"
)

type statusCommand struct {
	databaseFlags
	JSON bool `name:"json" help:"Print as JSON."`
}

func (*statusCommand) Help() string {
	return `Counts the organizations by where they stand:

  clean     Clerk equals the latest committed state
  dirty     a change is on its way
  parked    Clerk refused a change for good; a new change tries again
  unlinked  no Clerk id, so nothing to push to`
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
	if c.JSON {
		return json.NewEncoder(a.stdout).Encode(statusJSON(status))
	}
	return printStatus(a.stdout, status)
}

func statusJSON(s claimsync.Status) any {
	return struct {
		Organizations         int64   `json:"organizations"`
		Clean                 int64   `json:"clean"`
		Dirty                 int64   `json:"dirty"`
		Parked                int64   `json:"parked"`
		Unlinked              int64   `json:"unlinked"`
		OldestDirtyAgeSeconds float64 `json:"oldest_dirty_age_seconds"`
		standingJSON
	}{
		s.Organizations, s.Clean, s.Dirty, s.Parked, s.Unlinked, s.OldestDirtyAge.Seconds(),
		standingJSONOf(s.Destination),
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
	return printStanding(w, s.Destination)
}
