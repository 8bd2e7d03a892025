package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/schollz/progressbar/v3"

	"github.com/claimsync/claimsync/scoring"
)

// restartFlag is for the commands that walk over all organizations.
type restartFlag struct {
	Restart bool `help:"With --all: begin anew, instead of going on where an interrupted run was."`
}

func (f *restartFlag) check(all bool) error {
	if f.Restart && !all {
		return usage("--restart goes with --all")
	}
	return nil
}

// backfill walks over all organizations, and shows how far it has come. doing says what is done, as in "Recalculating".
func (t *tool) backfill(
	ctx context.Context, a *app, kind scoring.BackfillKind, restart bool, doing string,
) (scoring.BackfillProgress, error) {
	view := &backfillView{stderr: a.stderr, doing: doing}
	done, err := scoring.NewBackfill(scoring.BackfillConfig{
		Pool: t.pool, Store: t.store, Kind: kind, Restart: restart, Logger: a.logger, Observe: view.show,
	}).Run(ctx)
	view.close()
	if err != nil && done.Total > 0 {
		const format = "%w (%d of %d organizations are done; run it again to go on)"
		err = fmt.Errorf(format, interruption(ctx, err), done.Done, done.Total)
	}
	return done, err
}

// interruption replaces what went wrong because the command was told to stop.
func interruption(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return errors.New("interrupted")
	}
	return err
}

// backfillView shows a walk to people.
type backfillView struct {
	stderr io.Writer
	doing  string
	bar    *progressbar.ProgressBar
	begun  int64 // what was done before
}

func (v *backfillView) show(p scoring.BackfillProgress) {
	if v.bar == nil {
		if p.Done > 0 {
			_, _ = fmt.Fprintf(v.stderr, "app: continuing the run of %s: %d of %d are done\n", clock(p.StartedAt), p.Done, p.Total)
		}
		// What was done before does not count, or it would count for the rate.
		v.begun = p.Done
		v.bar = newProgress(v.stderr, max(0, p.Total-p.Done), v.doing, progressbar.OptionShowIts())
	}
	_ = v.bar.Set64(min(p.Done-v.begun, v.bar.GetMax64())) // some may have been added
}

func (v *backfillView) close() {
	if v.bar != nil {
		_ = v.bar.Exit()
	}
}
