package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/schollz/progressbar/v3"

	"github.com/claimsync/claimsync"
	"github.com/claimsync/claimsync/scoring"
)

// redriveBatch is how many named organizations one transaction redrives.
const redriveBatch = 200

type redriveCommand struct {
	databaseFlags
	All    bool     `help:"Redrive every parked organization."`
	Reason string   `placeholder:"TEXT" help:"With --all: only those parked for this reason, as in app status: \"park 422\"."`
	JSON   bool     `name:"json" help:"Print the outcome as JSON."`
	IDs    []string `arg:"" optional:"" name:"id" help:"Organizations to redrive, by our id or Clerk's (org_…)."`
}

func (*redriveCommand) Help() string {
	return `An organization is parked when Clerk refused its claims for good, or did not know it for days: it is not pushed
again until it changes. This has parked ones pushed again, by whichever "app serve" runs on the database, once what was
amiss is mended. "app why ID" tells what that was. With --all, other changes go first.`
}

func (c *redriveCommand) Run(ctx context.Context, a *app) error {
	switch {
	case c.All == (len(c.IDs) > 0):
		return usage("say which organizations: their ids, or --all")
	case c.Reason != "" && !c.All:
		return usage("--reason goes with --all")
	}
	t, err := c.openTool(ctx, a.logger)
	if err != nil {
		return err
	}
	defer t.close()
	work := redrive{tool: t, app: a, refused: map[string]string{}}
	if c.All {
		err = t.operate(ctx, claimsync.ActionRedriveAll, c.Reason, func(ctx context.Context) (string, error) {
			err := work.all(ctx, c.Reason)
			return work.result(), err
		})
	} else {
		err = t.operate(ctx, claimsync.ActionRedrive, strings.Join(c.IDs, " "), func(ctx context.Context) (string, error) {
			err := work.these(ctx, c.IDs)
			return work.result(), err
		})
	}
	if err != nil {
		return fmt.Errorf("redriving: %w (%d organizations are done)", err, work.redriven)
	}
	return work.report(c.JSON)
}

type redrive struct {
	tool     *tool
	app      *app
	redriven int64
	refused  map[string]string // why not, by the id that was given
}

func (r *redrive) result() string { return fmt.Sprintf("%d redriven", r.redriven) }

// all redrives what is parked now, and shows how far it has come.
func (r *redrive) all(ctx context.Context, reason string) error {
	var bar *progressbar.ProgressBar
	progress := func(done, total int64) {
		if total == 0 && reason != "" {
			_, _ = fmt.Fprintf(r.app.stderr, "app: nothing is parked for %q; app status names the reasons there are\n", reason)
		}
		if bar == nil {
			bar = newProgress(r.app.stderr, total, "Redriving", progressbar.OptionShowIts())
		}
		_ = bar.Set64(done)
	}
	redriven, err := r.tool.sync.RedriveAll(ctx, r.tool.waker, claimsync.Redriving{Reason: reason, Progress: progress})
	if bar != nil {
		_ = bar.Exit()
	}
	r.redriven += redriven
	return err
}

// these redrives the organizations that were named. One that is refused does not keep it from the others.
func (r *redrive) these(ctx context.Context, ids []string) error {
	named, err := r.tool.resolve(ctx, ids)
	if err != nil {
		return err
	}
	for _, id := range named.unknown {
		r.refused[id] = scoring.ErrNotFound.Error()
	}
	for _, id := range named.unlinked {
		r.refused[id] = claimsync.ErrUnlinked.Error()
	}
	for batch := range slices.Chunk(named.keys(), redriveBatch) {
		redriven, err := r.tool.sync.Redrive(ctx, r.tool.waker, batch...)
		if err != nil {
			return err
		}
		r.redriven += int64(len(redriven))
		for _, key := range batch {
			if !slices.Contains(redriven, key) {
				r.refused[named.ids[key]] = "is not parked"
			}
		}
	}
	return nil
}

// report says what was done, and names the ids that were refused.
func (r *redrive) report(asJSON bool) error {
	var err error
	if asJSON {
		err = json.NewEncoder(r.app.stdout).Encode(map[string]any{"redriven": r.redriven, "refused": r.refused})
	} else {
		_, err = fmt.Fprintf(r.app.stdout, "%d redriven\n", r.redriven)
	}
	if err != nil || len(r.refused) == 0 {
		return err
	}
	for _, id := range slices.Sorted(maps.Keys(r.refused)) {
		_, _ = fmt.Fprintf(r.app.stderr, "app: %s: %s\n", id, r.refused[id])
	}
	return errReported
}
