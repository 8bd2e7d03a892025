package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/schollz/progressbar/v3"

	"github.com/claimsync/claimsync"
	"github.com/claimsync/claimsync/clerk"
)

// driftListed is how many organizations the table shows; JSON has all.
const driftListed = 1000

type driftCommand struct {
	databaseFlags
	clerkFlags
	rateFlags
	Repair    bool `help:"Have what differs pushed again."`
	KnownOnly bool `name:"known-only" help:"Leave out organizations at Clerk that were never linked to one of ours."`
	JSON      bool `name:"json" help:"Print the report as JSON."`
}

func (*driftCommand) Help() string {
	return `Pages through all organizations at Clerk, and says where they differ from Postgres:

  changed               another value than we pushed
  missing key           none, where we pushed one
  wrong type            a value of another type, as "87" for 87
  unexpected key        one that should be gone, as after unlinking
  missing organization  we are linked to one that Clerk does not have
  unknown organization  Clerk has one that was never linked to ours

It calls Clerk only when nobody else wants to, within the rate limits (give those that "app serve" has), and waits as
long as that takes; 500 organizations take a call. What changes meanwhile, is on its way or parked is not called drift.

--repair has the differing ones read back, and pushed again if they still differ, by whichever "app serve" runs on the
database. One that had to be pushed over three times within a day is left: somebody else writes the same keys, and a
person has to settle that ("contested"). So it is with missing and unknown organizations.

"app serve" does the same once a day; "app status" shows the last report.

Exit codes: 0, if nothing differs; 3, if something does, repaired or not; 1, if the check failed.`
}

func (c *driftCommand) Run(ctx context.Context, a *app) error {
	client, err := c.client(nil)
	if err != nil {
		return err
	}
	if err := c.rateFlags.check(); err != nil {
		return err
	}
	t, err := c.openClerkTool(ctx, a.logger, c.rateFlags, client)
	if err != nil {
		return err
	}
	defer t.close()
	var report *claimsync.DriftReport
	check := func(ctx context.Context) (_ string, err error) {
		if report, err = c.compare(ctx, a, t); err != nil {
			return "", err
		}
		return fmt.Sprintf("%d drifted, %d handed over", report.Drifted, report.Repaired), nil
	}
	if c.Repair {
		err = t.operate(ctx, claimsync.ActionDriftRepair, "", check)
	} else {
		_, err = check(ctx) // which changes nothing
	}
	if err != nil {
		return err
	}
	if c.JSON {
		err = json.NewEncoder(a.stdout).Encode(report)
	} else {
		err = printDrift(a.stdout, report)
	}
	if err == nil && report.Drifted > 0 {
		err = errDrift
	}
	return err
}

// compare shows how far it has come.
func (c *driftCommand) compare(ctx context.Context, a *app, t *tool) (*claimsync.DriftReport, error) {
	progress := newProgress(a.stderr, 1, "Comparing", progressbar.OptionShowIts()) // how many there are, Clerk has yet to say
	defer func() { _ = progress.Exit() }()
	return t.sync.CheckDrift(ctx, t.waker, claimsync.DriftOptions{
		Repair: c.Repair, KnownOnly: c.KnownOnly,
		Progress: func(done, total int) {
			progress.ChangeMax(max(1, total))
			_ = progress.Set(done)
		},
	})
}

// printDrift prints a table, with a line for each key, and then says it in sentences.
func printDrift(w io.Writer, report *claimsync.DriftReport) error {
	if report.Drifted > 0 {
		table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		_, _ = fmt.Fprintln(table, "Clerk id\tours\tdrift\tkey\tat Clerk\tshould be")
		for _, drift := range report.Drifts[:min(len(report.Drifts), driftListed)] {
			printDriftOf(table, drift)
		}
		if err := table.Flush(); err != nil {
			return err
		}
		if more := report.Drifted - driftListed; more > 0 {
			_, _ = fmt.Fprintf(w, "… and %d more: app drift --json has all\n", more)
		}
		_, _ = fmt.Fprintln(w)
	}
	return printParagraphs(w, report.InWords())
}

func printDriftOf(table io.Writer, drift claimsync.Drift) {
	const width = 24 // of a value: enough to recognize it
	differences := drift.Differences
	if len(differences) == 0 {
		differences = []clerk.Difference{{Kind: clerk.DifferenceKind(drift.Kinds[0])}}
	}
	for _, d := range differences {
		kind := strings.ReplaceAll(string(d.Kind), "_", " ")
		if drift.Contested {
			kind += ", contested"
		}
		_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", drift.ClerkOrgID, orDash(drift.OrganizationID), kind, orDash(d.Key),
			orDash(shortened(d.Clerk, width)), orDash(shortened(d.Want, width)))
	}
}

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}
