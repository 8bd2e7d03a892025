package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/schollz/progressbar/v3"

	"github.com/claimsync/claimsync/db"
	"github.com/claimsync/claimsync/db/dbsqlc"
	"github.com/claimsync/claimsync/scoring"
)

// recalculateBatch is how many organizations one transaction calculates: their rows are locked meanwhile.
const recalculateBatch = 200

type recalculateCommand struct {
	databaseFlags
	All  bool     `help:"Recalculate every organization."`
	JSON bool     `name:"json" help:"Print the summary as JSON."`
	IDs  []string `arg:"" optional:"" name:"id" help:"Organizations to recalculate."`
}

func (*recalculateCommand) Help() string {
	return `Calculates scores anew from the stored facts, as of now. Only organizations whose claims differ are pushed, by
whichever "app serve" runs on the database.`
}

func (c *recalculateCommand) Run(ctx context.Context, a *app) error {
	if c.All == (len(c.IDs) > 0) {
		return usage("say which organizations: their ids, or --all")
	}
	t, err := c.openTool(ctx, a.logger)
	if err != nil {
		return err
	}
	defer t.close()
	work := recalculation{tool: t, app: a}
	if c.All {
		work.urgency = scoring.UrgencyBackfill
		err = work.all(ctx)
	} else {
		err = work.these(ctx, c.IDs)
	}
	if err != nil {
		return fmt.Errorf("recalculating: %w (%d organizations are done)", err, work.calculated)
	}
	if c.JSON {
		return json.NewEncoder(a.stdout).Encode(map[string]int{"calculated": work.calculated, "changed": work.changed})
	}
	_, err = fmt.Fprintf(a.stdout, "%d calculated, %d changed\n", work.calculated, work.changed)
	return err
}

type recalculation struct {
	tool                *tool
	urgency             scoring.Urgency
	app                 *app
	calculated, changed int
}

// all walks the table in the order of the ids.
func (r *recalculation) all(ctx context.Context) error {
	total, err := dbsqlc.New().OrganizationCount(ctx, r.tool.pool)
	if err != nil {
		return err
	}
	progress := newProgress(r.app.stderr, total.Organizations, "Recalculating", progressbar.OptionShowIts())
	defer func() { _ = progress.Exit() }()
	after := ""
	for {
		page := dbsqlc.OrganizationListAfterParams{AfterID: after, MaxRows: recalculateBatch}
		ids, err := dbsqlc.New().OrganizationListAfter(ctx, r.tool.pool, page)
		if err != nil || len(ids) == 0 {
			return err
		}
		if _, err := r.batch(ctx, ids); err != nil {
			return err
		}
		_ = progress.Add(len(ids))
		after = ids[len(ids)-1]
	}
}

// these calculates the organizations that were named; one that does not exist is an error, after the others are done.
func (r *recalculation) these(ctx context.Context, ids []string) error {
	slices.Sort(ids)
	ids = slices.Compact(ids)
	var missing []string
	for batch := range slices.Chunk(ids, recalculateBatch) {
		found, err := r.batch(ctx, batch)
		if err != nil {
			return err
		}
		for _, id := range batch {
			if !slices.Contains(found, id) {
				missing = append(missing, id)
			}
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("no such organization: %s", strings.Join(missing, ", "))
	}
	return nil
}

// batch calculates the organizations in one transaction, and returns those that exist.
func (r *recalculation) batch(ctx context.Context, ids []string) (found []string, err error) {
	var changed int
	err = db.Transact(ctx, r.tool.pool, func(tx pgx.Tx) (err error) {
		found, changed, err = r.tool.store.RecalculateManyTx(ctx, tx, r.urgency, ids, time.Time{})
		return err
	})
	if err != nil {
		return nil, err
	}
	r.calculated += len(found)
	r.changed += changed
	return found, nil
}
