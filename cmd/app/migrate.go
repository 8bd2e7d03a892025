package main

import (
	"context"

	"github.com/claimsync/claimsync/db"
)

type migrateCommand struct {
	databaseFlags
	Check bool `help:"Change nothing: only say what there is to do; exit code 1 if there is something."`
}

func (*migrateCommand) Help() string {
	return `Creates or updates claimsync's tables and River's. Safe to run from many processes at once, when there is nothing
to do, and while processes of the version before are at work: see docs/upgrading.md.`
}

func (c *migrateCommand) Run(ctx context.Context, a *app) error {
	pool, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer pool.Close()
	if !c.Check {
		if err := db.Migrate(ctx, pool, db.MigrateConfig{RiverSchema: c.RiverSchema, Logger: a.logger}); err != nil {
			return err
		}
	}
	return checkSchema(ctx, pool, c.RiverSchema, a.logger)
}
