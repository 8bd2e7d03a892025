package main

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/claimsync/claimsync"
	"github.com/claimsync/claimsync/outbox"
)

// processes also reads what stands between all organizations and Clerk, for the steps after it.
func (x *examination) processes(ctx context.Context) finding {
	var err error
	silent := slog.New(slog.DiscardHandler) // what there is to say, the findings say
	if x.tool, err = x.flags.newTool(x.pool, silent, x.flags.rateFlags, x.client); err != nil {
		return broken(err)
	}
	if x.gate, err = x.tool.sync.Gate(ctx, x.tool.river); err != nil {
		return broken(err)
	}
	fleet, more, err := x.tool.sync.Processes(ctx)
	if err != nil {
		return broken(err)
	}
	backlog, err := x.tool.sync.Outbox().Backlog(ctx, x.pool, claimsync.Topic, 1)
	if err != nil {
		return broken(err)
	}
	return fleetFinding(fleet, more, backlog.Dirty > 0)
}

func fleetFinding(fleet []claimsync.Process, more int64, waiting bool) finding {
	const remedy = "Start app serve. If one runs, is it on this database?"
	said := fleetInWords(fleet, more)
	switch alive, versions := living(fleet); {
	case alive == 0 && waiting:
		return fail(said+", and changes wait to be pushed", remedy)
	case alive == 0:
		return warn(said+", so nothing would be pushed", remedy)
	case len(versions) > 1:
		return warn(said, "During a deploy this is as it should be. If there is none, restart the older ones.")
	}
	return ok("%s", said)
}

func (x *examination) queue(context.Context) finding {
	switch said := queueState(x.gate.Queue); {
	case !x.gate.Queue.Known:
		return skip("%s", said)
	case x.gate.Queue.PausedAt != nil && !x.gate.Queue.PausedByBreaker:
		return fail(said+", so nothing is pushed", "Resume it in River UI, at /riverui/.")
	default:
		return ok("%s", said)
	}
}

func (x *examination) breaker(context.Context) finding {
	standing := x.gate.Destination
	if standing.Breaker != nil {
		return breakerFinding(standing.Breaker)
	}
	const remedy = "This passes by itself. If it happens often, lower CLERK_RATE_SHARE."
	switch words := x.gate.InWords(); {
	case standing.Blocked != nil:
		return warn("closed. "+words[0], remedy)
	case standing.Rate < 1:
		return warn("closed. "+words[len(words)-1], remedy)
	}
	return ok("closed")
}

func breakerFinding(breaker *outbox.Breaker) finding {
	found := fmt.Sprintf("open, so nothing is pushed (%s: %s)", breaker.Cause, shortened(breaker.Reason, 200))
	switch breaker.Cause {
	case outbox.CauseOperator:
		return fail(found, "A person opened it, and can close it: app breaker close")
	case outbox.CauseConfiguration:
		return fail(found, "Mend what Clerk refuses, which the steps below tell, and restart app serve. It then closes by itself.")
	default:
		return fail(found, "It closes by itself once Clerk works: see the steps below. Nothing is lost meanwhile.")
	}
}
