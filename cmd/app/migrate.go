package main

import (
	"context"

	"github.com/claimsync/claimsync/db"
)

type migrateCommand struct {
	databaseFlags
}

func (*migrateCommand) Help() string {
	return `Creates or updates claimsync's tables and River's. Safe to run from many processes at once, and when there is
nothing to do.`
}

func (c *migrateCommand) Run(ctx context.Context, a *app) error {
	pool, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer pool.Close()
	if err := db.Migrate(ctx, pool, db.MigrateConfig{RiverSchema: c.RiverSchema, Logger: a.logger}); err != nil {
		return err
	}
	a.logger.InfoContext(ctx, "The database is up to date")
	return nil
}
