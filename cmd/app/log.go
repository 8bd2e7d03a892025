package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/claimsync/claimsync"
	"github.com/claimsync/claimsync/outbox"
	"github.com/claimsync/claimsync/scoring"
)

type logCommand struct {
	databaseFlags
	watchFlags
	Operators bool   `help:"Instead of deliveries: what was done by hand, by whom and from where."`
	Limit     int32  `default:"50" help:"How many lines at most, the newest first."`
	JSON      bool   `name:"json" help:"Print as JSON."`
	ID        string `arg:"" optional:"" help:"The organization, by our id or Clerk's (org_…)."`
}

func (*logCommand) Help() string {
	return `The delivery log of one organization: what was pushed when, and how it
ended. The outcomes:

  applied      Clerk confirmed it
  retry        Clerk was busy with it: again soon
  outage       Clerk failed, or could not be reached
  wait         Clerk told everybody to wait (Retry-After)
  stop         Clerk refuses us whatever we send: check the key
  missing      Clerk does not know the organization
  park         refused for good: given up on until it changes or is redriven
  ambiguous    no usable answer: pushed again, and read back later
  verified     read back: all as it should be
  overwritten  read back: something else was there; pushed over
  canceled     given back by a process that stopped
  fenced       finished after its lease was lost: not accepted
  lost         its process died or stood still: another took over

With --operators: the operator log, of what people did in the console, in River
UI and at the command line.`
}

func (c *logCommand) Run(ctx context.Context, a *app) error {
	switch {
	case c.Operators == (c.ID != ""):
		return usage("say whose log: the id of an organization, or --operators")
	case c.Limit < 1:
		return usage("--limit must be at least 1, got %d", c.Limit)
	}
	t, err := c.openTool(ctx, a.logger)
	if err != nil {
		return err
	}
	defer t.close()
	return c.look(ctx, a, c.JSON, func(ctx context.Context, w io.Writer) error {
		if c.Operators {
			return c.operators(ctx, w, t)
		}
		return c.deliveries(ctx, w, t)
	})
}

func (c *logCommand) deliveries(ctx context.Context, w io.Writer, t *tool) error {
	key, err := t.sync.Key(ctx, c.ID)
	var deliveries []outbox.Delivery
	if err == nil && key != "" {
		deliveries, err = t.sync.Outbox().Deliveries(ctx, t.pool, claimsync.Topic, key, 0, c.Limit)
	}
	switch {
	case err != nil:
		return err
	case c.JSON:
		return json.NewEncoder(w).Encode(map[string]any{"deliveries": deliveriesJSON(deliveries)})
	case key == "":
		return printParagraphs(w, []string{c.ID + " is not linked to Clerk: nothing is pushed."})
	case len(deliveries) == 0:
		return printParagraphs(w, []string{
			"No delivery is in the log: there was none yet, or it was longer ago than DELIVERY_RETENTION.",
		})
	}
	return printDeliveries(w, deliveries)
}

// operatorActionJSON is what was done by hand, for programs.
type operatorActionJSON struct {
	At       scoring.Timestamp `json:"at"`
	Operator string            `json:"operator"`
	Origin   string            `json:"origin"`
	Action   string            `json:"action"`
	Target   string            `json:"target"`
	Result   *string           `json:"result"` // null: under way, or its process has died
}

func (c *logCommand) operators(ctx context.Context, w io.Writer, t *tool) error {
	actions, err := t.sync.OperatorLog(ctx, 0, c.Limit)
	if err != nil {
		return err
	}
	if c.JSON {
		said := make([]operatorActionJSON, len(actions))
		for i, action := range actions {
			said[i] = operatorActionJSON{
				scoring.Timestamp(action.At), action.Operator.Name, action.Operator.Origin, action.Action, action.Target, nil,
			}
			if action.Result != "" {
				said[i].Result = &action.Result
			}
		}
		return json.NewEncoder(w).Encode(map[string]any{"actions": said})
	}
	if len(actions) == 0 {
		_, err = fmt.Fprintln(w, "Nothing was done by hand.")
		return err
	}
	return printOperatorActions(w, actions)
}

// printOperatorActions prints a line of at most 80 columns for what was done and one for what became of it.
func printOperatorActions(w io.Writer, actions []claimsync.OperatorAction) error {
	for _, action := range actions {
		what := fmt.Sprintf("%s  %s %s", clock(action.At), action.Action, action.Target)
		result := action.Result
		if result == "" {
			result = "under way, or its process has died"
		}
		by := fmt.Sprintf("    by %s, %s: %s", action.Operator.Name, action.Operator.Origin, result)
		if _, err := fmt.Fprintf(w, "%s\n    %s\n", shortened(what, textWidth), shortened(by, textWidth-4)); err != nil {
			return err
		}
	}
	return nil
}
