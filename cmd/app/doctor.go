package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

type doctorCommand struct {
	databaseFlags
	clerkFlags
	rateFlags
	webhookFlags
	listenFlags
	JSON bool `name:"json" help:"Print the findings as JSON."`
}

func (*doctorCommand) Help() string {
	return `Checks a set-up step by step, and says what to do about each failure. Give it
what "app serve" has: the same variables, on the same machine.

  DATABASE_URL=postgres://… CLERK_SECRET_KEY=sk_… app doctor

  ✓  is as it should be
  !  works, but look at it
  ✗  does not work; the line below it says what helps
  –  could not be checked, and why

A step that fails does not keep those from being checked that do not need it. It
looks at the database, its rights, migrations and triggers; at clocks; at Clerk:
key, instance, limits, organizations, and whether one organization has there what
Postgres says; at the webhook's secret, the admin token, the processes, the
queue and the breaker.

It changes nothing, here or at Clerk. It calls Clerk three times at most, besides
the fleet's budget, and not at all while the database says that Clerk has
everybody wait.

Setting up Clerk's side is explained in docs/clerk-setup.md.

Exit codes: 0, if nothing failed; 1, if something did.`
}

func (c *doctorCommand) Run(ctx context.Context, a *app) error {
	if err := c.rateFlags.check(); err != nil {
		return err
	}
	x := &examination{flags: c, now: time.Now}
	defer x.close()
	findings, err := x.examine(ctx, func(f finding) error {
		if c.JSON {
			return nil
		}
		return f.print(a.stdout)
	})
	if err != nil {
		return err
	}
	failures, warnings := count(findings, failed), count(findings, warned)
	switch {
	case c.JSON:
		err = json.NewEncoder(a.stdout).Encode(struct {
			OK       bool      `json:"ok"`
			Findings []finding `json:"findings"`
		}{failures == 0, findings})
	case failures == 0 && warnings == 0:
		_, err = fmt.Fprintln(a.stdout, "\nAll is well.")
	default:
		_, err = fmt.Fprintf(a.stdout, "\n%s, %s.\n", plural(failures, "failure"), plural(warnings, "warning"))
	}
	if err == nil && failures > 0 {
		err = errReported
	}
	return err
}

func count(findings []finding, verdict verdict) (n int) {
	for _, f := range findings {
		if f.Verdict == verdict {
			n++
		}
	}
	return n
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
