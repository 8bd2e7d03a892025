package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/schollz/progressbar/v3"

	"github.com/claimsync/claimsync"
	"github.com/claimsync/claimsync/db"
	"github.com/claimsync/claimsync/outbox"
	"github.com/claimsync/claimsync/scoring"
)

// redriveBatch is how many organizations one transaction redrives.
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
		err = work.all(ctx, c.Reason)
	} else {
		err = work.these(ctx, c.IDs)
	}
	if err != nil {
		return fmt.Errorf("redriving: %w (%d organizations are done)", err, work.redriven)
	}
	return work.report(c.JSON)
}

type redrive struct {
	tool     *tool
	app      *app
	redriven int
	refused  map[string]string // why not, by the id that was given
}

// all walks over what is parked now: what parks again meanwhile is left.
func (r *redrive) all(ctx context.Context, reason string) error {
	parked, err := r.tool.sync.Outbox().ParkedReasons(ctx, r.tool.pool, claimsync.Topic)
	if err != nil {
		return err
	}
	query := outbox.ParkedQuery{Reason: reason, Limit: redriveBatch}
	total := int64(0)
	for _, p := range parked {
		if reason == "" || p.Reason == reason {
			total += p.Rows
			if p.LastParkedAt.After(query.Until) {
				query.Until = p.LastParkedAt
			}
		}
	}
	if total == 0 && reason != "" {
		_, _ = fmt.Fprintf(r.app.stderr, "app: nothing is parked for %q; app status names the reasons there are\n", reason)
	}
	progress := newProgress(r.app.stderr, total, "Redriving", progressbar.OptionShowIts())
	defer func() { _ = progress.Exit() }()
	for {
		page, err := r.tool.sync.Outbox().ParkedKeys(ctx, r.tool.pool, claimsync.Topic, query)
		if err != nil || len(page) == 0 {
			return err
		}
		if err := r.page(ctx, page); err != nil {
			return err
		}
		_ = progress.Add(len(page))
		query.After = page[len(page)-1]
	}
}

func (r *redrive) page(ctx context.Context, page []outbox.ParkedKey) error {
	keys := make([]string, len(page))
	for i, parked := range page {
		keys[i] = parked.Key
	}
	_, err := r.batch(ctx, outbox.PriorityBackfill, keys)
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
		r.refused[id] = "is not linked to Clerk"
	}
	for batch := range slices.Chunk(named.keys(), redriveBatch) {
		redriven, err := r.batch(ctx, outbox.PriorityLive, batch)
		if err != nil {
			return err
		}
		for _, key := range batch {
			if !slices.Contains(redriven, key) {
				r.refused[named.ids[key]] = "is not parked"
			}
		}
	}
	return nil
}

// batch redrives keys in one transaction, and returns those that were parked. It marks the Clerk organizations and not
// ours: whatever is linked to one when it is pushed is what is pushed.
func (r *redrive) batch(ctx context.Context, priority outbox.Priority, keys []string) (redriven []string, err error) {
	err = db.Transact(ctx, r.tool.pool, func(tx pgx.Tx) (err error) {
		redriven, err = r.tool.sync.Outbox().RedriveTx(ctx, tx, r.tool.waker, claimsync.Topic, priority, keys...)
		return err
	})
	if err != nil {
		return nil, err
	}
	r.redriven += len(redriven)
	return redriven, nil
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
