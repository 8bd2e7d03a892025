package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/claimsync/claimsync/db/triggers"
)

type triggersCommand struct {
	Install triggersInstallCommand `cmd:"" help:"Install the triggers, or bring them to this version."`
	Remove  triggersRemoveCommand  `cmd:"" help:"Remove the triggers."`
	Status  triggersStatusCommand  `cmd:"" help:"Say which triggers there are, and what waits."`
	Print   triggersPrintCommand   `cmd:"" help:"Print the SQL that install would run."`
}

func (*triggersCommand) Help() string {
	return `For those who write organizations or facts without claimsync: an admin's psql, another service, an ORM. With the
triggers, whatever they commit is at Clerk within seconds, without a line of claimsync's in the writer:

  a change of facts        the score is calculated anew, and pushed if the claims
                           differ
  of tier, link or score   the organization is pushed; what Clerk has of one that
                           was unlinked, linked elsewhere or deleted is removed

A trigger adds a row per changed organization to a queue, in the writer's transaction; any "app serve" takes it from there.
Without triggers, a writer can say so itself: SELECT claimsync_recalculate('our id').

What is not noticed: what is written with session_replication_role = replica, by logical replication, or straight into a
partition. docs/foreign-writers.md tells more, also for Prisma and Rails.`
}

type triggersInstallCommand struct {
	databaseFlags
	JSON bool `name:"json" help:"Print what was done as JSON."`
}

func (*triggersInstallCommand) Help() string {
	return `Installs the triggers on all tables of facts and on organizations, replaces those of another version, and enables those
that somebody has disabled. Does nothing where there is nothing to do, and may run beside anything: each table is locked
for some milliseconds, for writers only. Where a long transaction has written the table, it waits for 2 s, lets others
write, and tries again, ten times. Run it again after an upgrade: "app triggers status" says whether it is needed.

It knows nothing of what was written before: app recalculate --all calculates that.

It needs the rights of the tables' owner; those who write need no further ones.`
}

func (c *triggersInstallCommand) Run(ctx context.Context, a *app) error {
	changes, err := changeTriggers(ctx, a, &c.databaseFlags, "triggers_install", triggers.Install)
	if err != nil {
		return err
	}
	if c.JSON {
		return printTriggerChangesJSON(a.stdout, changes)
	}
	if err := printTriggerChanges(a.stdout, changes); err != nil || !anyTriggerChange(changes) {
		return err
	}
	return printParagraphs(a.stdout, []string{"", "What others have written before is not known. To calculate it: app recalculate --all"})
}

type triggersRemoveCommand struct {
	databaseFlags
	JSON bool `name:"json" help:"Print what was done as JSON."`
}

func (*triggersRemoveCommand) Help() string {
	return `Removes the triggers and their functions. Each table is locked for that, for readers too, for some milliseconds; where a
long transaction has used the table, it waits as install does. What they noticed until then is calculated and pushed all
the same; what others write from then on is not noticed, but by "app recalculate" or claimsync_recalculate in SQL.`
}

func (c *triggersRemoveCommand) Run(ctx context.Context, a *app) error {
	changes, err := changeTriggers(ctx, a, &c.databaseFlags, "triggers_remove", triggers.Remove)
	if err != nil {
		return err
	}
	if c.JSON {
		return printTriggerChangesJSON(a.stdout, changes)
	}
	return printTriggerChanges(a.stdout, changes)
}

// changeTriggers shows what was done also if it failed halfway.
func changeTriggers(
	ctx context.Context, a *app, flags *databaseFlags, action string,
	change func(context.Context, triggers.Conn) ([]triggers.Change, error),
) (changes []triggers.Change, err error) {
	t, err := flags.openTool(ctx, a.logger)
	if err != nil {
		return nil, err
	}
	defer t.close()
	err = t.operate(ctx, action, "", func(ctx context.Context) (_ string, err error) {
		changes, err = change(ctx, t.pool)
		return fmt.Sprintf("%d tables changed", countTriggerChanges(changes)), err
	})
	if err != nil {
		_ = printTriggerChanges(a.stderr, changes)
	}
	return changes, err
}

func countTriggerChanges(changes []triggers.Change) (n int) {
	for _, change := range changes {
		if change.Action != triggers.ActionNone && change.Action != triggers.ActionSkipped {
			n++
		}
	}
	return n
}

func anyTriggerChange(changes []triggers.Change) bool { return countTriggerChanges(changes) > 0 }

func printTriggerChanges(w io.Writer, changes []triggers.Change) error {
	table := newTable(w)
	for _, change := range changes {
		said := string(change.Action)
		if change.Action == triggers.ActionSkipped {
			said = "skipped: a view can have no such triggers"
		}
		_, _ = fmt.Fprintf(table, "%s\t%s\n", change.Table, said)
	}
	return table.Flush()
}

func printTriggerChangesJSON(w io.Writer, changes []triggers.Change) error {
	tables := map[string]triggers.Action{}
	for _, change := range changes {
		tables[change.Table] = change.Action
	}
	return json.NewEncoder(w).Encode(map[string]any{"tables": tables})
}

type triggersPrintCommand struct {
	databaseFlags
}

func (*triggersPrintCommand) Help() string {
	return `Prints what "app triggers install" runs, with the names that this database has: to be reviewed, or to be put among the
migrations of an application that keeps all of its schema there. Run it with psql -1.`
}

func (c *triggersPrintCommand) Run(ctx context.Context, a *app) error {
	pool, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer pool.Close()
	sql, err := triggers.SQL(ctx, pool)
	if err != nil {
		return err
	}
	_, err = io.WriteString(a.stdout, sql)
	return err
}
