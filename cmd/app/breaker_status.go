package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/claimsync/claimsync"
	"github.com/claimsync/claimsync/outbox"
)

type breakerStatusCommand struct {
	databaseFlags
	watchFlags
	JSON bool `name:"json" help:"Print as JSON."`
}

func (*breakerStatusCommand) Help() string {
	return `Says whether the breaker is open, why and when it is probed next; whether River's queue is paused and by whom;
until when Clerk asked to be left alone; and how much of our share of the rate limit is used, which is less after others
have used what we counted on.`
}

func (c *breakerStatusCommand) Run(ctx context.Context, a *app) error {
	t, err := c.openTool(ctx, a.logger)
	if err != nil {
		return err
	}
	defer t.close()
	return c.look(ctx, a, c.JSON, func(ctx context.Context, w io.Writer) error {
		gate, err := t.sync.Gate(ctx, t.river)
		if err != nil {
			return err
		}
		return c.print(w, gate)
	})
}

func (c *breakerStatusCommand) print(w io.Writer, gate claimsync.Gate) error {
	if c.JSON {
		return json.NewEncoder(w).Encode(struct {
			State string `json:"state"` // open or closed
			gateJSON
		}{breakerState(gate.Destination.Breaker), gateJSONOf(gate)})
	}
	if err := printGate(w, gate); err != nil {
		return err
	}
	if said := gate.InWords(); len(said) > 0 {
		return printParagraphs(w, append([]string{""}, said...))
	}
	return nil
}

func breakerState(b *outbox.Breaker) string {
	if b == nil {
		return "closed"
	}
	return "open"
}

// printGate says everything in a word; what is out of the ordinary follows in sentences.
func printGate(w io.Writer, g claimsync.Gate) error {
	breaker, wait := breakerState(g.Destination.Breaker), "none"
	if b := g.Destination.Breaker; b != nil {
		breaker += ", " + string(b.Cause)
	}
	if b := g.Destination.Blocked; b != nil {
		wait = b.Until.Sub(g.Now).Round(time.Second).String()
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, line := range [][2]string{
		{"breaker", breaker},
		{"queue", queueState(g.Queue)},
		{"Retry-After", wait},
		{"budget", fmt.Sprintf("%.0f %% of our share", 100*g.Destination.Rate)},
	} {
		_, _ = fmt.Fprintf(table, "%s\t%s\n", line[0], line[1])
	}
	return table.Flush()
}

func queueState(q claimsync.Queue) string {
	switch {
	case !q.Known:
		return "not there yet: no app serve has run"
	case q.PausedAt == nil:
		return "running"
	case q.PausedByBreaker:
		return "paused by the breaker"
	default:
		return "paused by a person"
	}
}
