package main

import (
	"context"
	"fmt"
	"time"

	"github.com/claimsync/claimsync"
	"github.com/claimsync/claimsync/outbox"
)

type breakerCommand struct {
	Open   breakerOpenCommand   `cmd:"" help:"Push nothing any more, until app breaker close."`
	Close  breakerCloseCommand  `cmd:"" help:"Push again now, whatever opened the breaker."`
	Status breakerStatusCommand `cmd:"" default:"withargs" help:"Say whether it is open and why, and what else keeps Clerk from being called."`
}

func (*breakerCommand) Help() string {
	return `While the breaker is open, no process calls Clerk. Changes go on being accepted; they wait, and nothing is lost.

It opens by itself:

  outage         three different organizations in a row get an error of
                 Clerk's own, or no answer
  configuration  Clerk refuses us whatever we send (a wrong or revoked
                 secret key), or ten different organizations in a row are
                 unknown there (the key of another instance)

and then closes by itself: every few seconds one change is pushed as a probe, and one that gets through closes it. One
that a person opened stays open until a person closes it.

An open breaker pauses River's queue, which River UI shows, and resumes it when it closes. A queue that a person paused,
in River UI or through River's API, is respected: the breaker leaves it paused, and only a person resumes it.`
}

type breakerOpenCommand struct {
	databaseFlags
	Reason string `placeholder:"TEXT" default:"no reason given" help:"Why, for those who wonder: app status and app why show it."`
}

func (*breakerOpenCommand) Help() string {
	return `Opens the breaker for all processes: nothing is pushed until "app breaker close". Pushes under way finish.`
}

func (c *breakerOpenCommand) Run(ctx context.Context, a *app) error {
	t, err := c.openTool(ctx, a.logger)
	if err != nil {
		return err
	}
	defer t.close()
	before, err := t.sync.Gate(ctx, t.river)
	if err != nil {
		return err
	}
	var change *outbox.Change
	err = t.operate(ctx, claimsync.ActionBreakerOpen, c.Reason, func(ctx context.Context) (_ string, err error) {
		change, err = t.sync.Outbox().Open(ctx, t.pool, t.waker, claimsync.Topic, c.Reason)
		return changed(change), err
	})
	if err != nil {
		return err
	}
	return printParagraphs(a.stdout, openedInWords(before, change))
}

// changed is for the operator log.
func changed(change *outbox.Change) string {
	if change == nil {
		return "nothing to change"
	}
	return "done"
}

func openedInWords(before claimsync.Gate, change *outbox.Change) []string {
	switch {
	case change == nil:
		return append([]string{"The breaker was open already; nothing is changed."}, before.InWords()...)
	case before.Destination.Breaker != nil:
		return []string{
			"The breaker was open already, and would have closed by itself. Now it stays open until: app breaker close",
		}
	default:
		return []string{"The breaker is open. Nothing is pushed until: app breaker close"}
	}
}

type breakerCloseCommand struct {
	databaseFlags
}

func (*breakerCloseCommand) Help() string {
	return `Closes the breaker for all processes, whatever opened it, and resumes River's queue if it was the breaker that
paused it. It also ends a wait that Clerk asked for (Retry-After), and the slow-down that follows one: Clerk is called
at the full budget at once. If what opened the breaker persists, it soon opens again.`
}

func (c *breakerCloseCommand) Run(ctx context.Context, a *app) error {
	t, err := c.openTool(ctx, a.logger)
	if err != nil {
		return err
	}
	defer t.close()
	before, err := t.sync.Gate(ctx, t.river)
	if err != nil {
		return err
	}
	var change *outbox.Change
	err = t.operate(ctx, claimsync.ActionBreakerClose, "", func(ctx context.Context) (_ string, err error) {
		change, err = t.sync.Outbox().Close(ctx, t.pool, t.waker, claimsync.Topic)
		return changed(change), err
	})
	if err != nil {
		return err
	}
	after, err := t.sync.Gate(ctx, t.river)
	if err != nil {
		return err
	}
	return printParagraphs(a.stdout, append(closedInWords(before, change), after.InWords()...))
}

func closedInWords(before claimsync.Gate, change *outbox.Change) []string {
	said := []string{"The breaker was closed already."}
	if change != nil {
		said = []string{fmt.Sprintf("The breaker is closed. It was open for %s (%s).", change.Lasted.Round(time.Second), change.Cause)}
	}
	if before.Destination.Blocked != nil {
		said = append(said, "The wait that Clerk asked for is ended.")
	}
	if rate := before.Destination.Rate; rate < 1 {
		said = append(said, fmt.Sprintf("The whole budget is used again, instead of %.0f %%.", 100*rate))
	}
	return said
}
