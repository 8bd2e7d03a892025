package main

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/claimsync/claimsync/db/triggers"
)

// triggersRemedy is for triggers of which some are not as they should be.
const triggersRemedy = "As the tables' owner: app triggers install; then, for what was missed, app recalculate --all. " +
	"app triggers status names them."

// triggers fails for writes that are not noticed; an outdated trigger notices, though perhaps not as this version wants it to.
func (x *examination) triggers(ctx context.Context) finding {
	status, err := triggers.Read(ctx, x.pool)
	if err != nil {
		return broken(err)
	}
	return triggersFinding(status)
}

func triggersFinding(status triggers.Status) finding {
	switch {
	case status.Absent():
		return skip("none are installed, so what others than claimsync write is not noticed")
	case status.Complete():
		return ok("%s", triggersInstalled(status))
	case status.Count(triggers.Outdated) == len(status.Triggers)-status.Count(triggers.Installed)-status.Count(triggers.NoTable):
		return warn(triggerCounts(status), triggersRemedy)
	}
	return fail(triggerCounts(status)+", so not all that others than claimsync write is noticed", triggersRemedy)
}

func triggersInstalled(status triggers.Status) string {
	said := fmt.Sprintf("all %d are installed", status.Count(triggers.Installed))
	if status.Count(triggers.NoTable) > 0 {
		said += "; of what is a view, whoever made it sees to the changes"
	}
	return said
}

// triggerCounts says how many triggers are in which state.
func triggerCounts(status triggers.Status) string {
	var counts []string
	for _, state := range []triggers.State{triggers.Installed, triggers.Outdated, triggers.Disabled, triggers.Missing} {
		if n := status.Count(state); n > 0 {
			counts = append(counts, fmt.Sprintf("%d %s", n, state))
		}
	}
	return listed(counts)
}

// warnOfTriggers says once, at the start, what app triggers status would say if somebody asked. It keeps nobody from
// starting: what claimsync writes itself needs no triggers.
func warnOfTriggers(ctx context.Context, pool *pgxpool.Pool, logger *slog.Logger) {
	status, err := triggers.Read(ctx, pool)
	switch {
	case err != nil:
		logger.WarnContext(ctx, "Whether the triggers for foreign writers are in order could not be seen", "err", err)
	case status.Amiss():
		logger.WarnContext(ctx, "The triggers for foreign writers are not all in order: not all that others write may be noticed. "+
			"Run app triggers install, then app recalculate --all",
			"installed", status.Count(triggers.Installed), "outdated", status.Count(triggers.Outdated),
			"disabled", status.Count(triggers.Disabled), "missing", status.Count(triggers.Missing))
	}
}
