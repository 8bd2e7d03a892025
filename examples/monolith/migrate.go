package main

import (
	"context"
	"embed"
	"errors"
	"io/fs"
	"log/slog"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"

	"github.com/claimsync/claimsync/db"
)

//go:embed migrations/*.sql
var migrations embed.FS

// migrate is the application's pipeline: River's tables, its own by goose, and claimsync's. Where claimsync has a schema of its
// own, the first two need a pool without that in its search path: see docs/embedding.md.
func migrate(ctx context.Context, pool *pgxpool.Pool, logger *slog.Logger) (err error) {
	migrator, err := rivermigrate.New(riverpgxv5.New(pool), &rivermigrate.Config{Logger: logger})
	if err != nil {
		return err
	}
	if _, err := migrator.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return err
	}
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	handle := stdlib.OpenDBFromPool(pool)
	defer func() { err = errors.Join(err, handle.Close()) }()
	provider, err := goose.NewProvider(goose.DialectPostgres, handle, files)
	if err != nil {
		return err
	}
	if _, err := provider.Up(ctx); err != nil {
		return err
	}
	// claimsync: its tables; or let the pipeline take db.Migrations().
	return db.Migrate(ctx, pool, db.MigrateConfig{WithoutRiver: true, Logger: logger})
	// end
}
