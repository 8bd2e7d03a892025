package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/claimsync/claimsync"
	"github.com/claimsync/claimsync/db"
	"github.com/claimsync/claimsync/scoring"
)

// recalculateBatch is how many organizations that were named one transaction calculates: their rows are locked meanwhile.
const recalculateBatch = 200

type recalculateCommand struct {
	databaseFlags
	restartFlag
	All  bool     `help:"Recalculate every organization."`
	JSON bool     `name:"json" help:"Print the summary as JSON."`
	IDs  []string `arg:"" optional:"" name:"id" help:"Organizations to recalculate."`
}

func (*recalculateCommand) Help() string {
	return `Calculates scores anew from the stored facts, as of now. Only organizations whose claims differ are pushed, by
whichever "app serve" runs on the database; with --all at the lowest priority, so that changes that are made meanwhile
go first.

With --all it can be interrupted: the next start within a day goes on where it was. Two that run at the same time share
the work.
Nobody needs it to keep up with the passing of time, which "app serve" does by itself.`
}

func (c *recalculateCommand) Run(ctx context.Context, a *app) error {
	if c.All == (len(c.IDs) > 0) {
		return usage("say which organizations: their ids, or --all")
	}
	if err := c.check(c.All); err != nil {
		return err
	}
	t, err := c.openTool(ctx, a.logger)
	if err != nil {
		return err
	}
	defer t.close()
	work := recalculation{tool: t, app: a}
	err = t.operateOn(ctx, c.IDs, claimsync.ActionRecalculate, claimsync.ActionRecalculateAll, func(ctx context.Context) (string, error) {
		var err error
		if c.All {
			err = work.all(ctx, c.Restart)
		} else {
			err = work.these(ctx, c.IDs)
		}
		return fmt.Sprintf("%d calculated, %d changed", work.calculated, work.changed), err
	})
	if err != nil {
		return fmt.Errorf("recalculating: %w", err)
	}
	return work.report(c.JSON)
}

type recalculation struct {
	tool                        *tool
	app                         *app
	calculated, changed, failed int64
}

func (r *recalculation) all(ctx context.Context, restart bool) error {
	done, err := r.tool.backfill(ctx, r.app, scoring.BackfillRecalculate, restart, "Recalculating")
	r.calculated, r.changed, r.failed = done.Done-done.Failed, done.Changed, done.Failed
	return err
}

// these calculates the organizations that were named; one that does not exist is an error, after the others are done.
func (r *recalculation) these(ctx context.Context, ids []string) error {
	slices.Sort(ids)
	ids = slices.Compact(ids)
	var missing []string
	for batch := range slices.Chunk(ids, recalculateBatch) {
		found, err := r.batch(ctx, batch)
		if err != nil {
			return fmt.Errorf("%w (%d organizations are done)", interruption(ctx, err), r.calculated)
		}
		for _, id := range batch {
			if !slices.Contains(found, id) {
				missing = append(missing, id)
			}
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("no such organization: %s (%d organizations are done)", strings.Join(missing, ", "), r.calculated)
	}
	return nil
}

// batch calculates the organizations in one transaction, and returns those that exist.
func (r *recalculation) batch(ctx context.Context, ids []string) (found []string, err error) {
	var changed int
	err = db.Transact(ctx, r.tool.pool, func(tx pgx.Tx) (err error) {
		found, changed, err = r.tool.store.RecalculateManyTx(ctx, tx, scoring.UrgencyLive, ids, time.Time{})
		return err
	})
	if err != nil {
		return nil, err
	}
	r.calculated += int64(len(found))
	r.changed += int64(changed)
	return found, nil
}

// report says what was done.
func (r *recalculation) report(asJSON bool) error {
	var err error
	if asJSON {
		counts := map[string]int64{"calculated": r.calculated, "changed": r.changed, "failed": r.failed}
		err = json.NewEncoder(r.app.stdout).Encode(counts)
	} else {
		_, err = fmt.Fprintf(r.app.stdout, "%d calculated, %d changed\n", r.calculated, r.changed)
	}
	if err == nil && r.failed > 0 {
		_, _ = fmt.Fprintf(r.app.stderr, "app: %d organizations could not be recalculated, see above\n", r.failed)
		return errReported
	}
	return err
}
