package db

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// MigrationTable is where goose keeps which of our migrations were applied: named so that it does not meet that of an
// embedding application.
const MigrationTable = "claimsync_migration"

// Migrations returns our migrations in goose's format, for a pipeline of the application's own: with goose, into
// MigrationTable, so that Migrate knows of them; with another tool, by its import of that format. River's are not among them:
// see its package rivermigrate.
func Migrations() fs.FS {
	files, err := fs.Sub(migrationFiles, "migrations")
	if err != nil {
		panic(err) // they are built in
	}
	return files
}

// DefaultRiverSchema is the schema of River's tables unless configured otherwise.
const DefaultRiverSchema = "river"

// migrateLock is the key of the advisory lock that makes concurrent migrations take turns ("claimsyn" in ASCII).
const migrateLock int64 = 0x636c61696d73796e

// migrateLockRetry is how often those that wait for the lock try.
const migrateLockRetry = 100 * time.Millisecond

// MigrateConfig says what is to be migrated.
type MigrateConfig struct {
	// WithoutRiver leaves River's tables to the application, whose River it is: by River's own means, in its own time.
	WithoutRiver bool

	// RiverSchema is the schema that holds River's tables; it is created if it is missing. Defaults to
	// DefaultRiverSchema.
	RiverSchema string

	// Logger gets a line per applied migration. Defaults to none.
	Logger *slog.Logger
}

// Migrate brings River's tables and claimsync's own to their newest version. Ours are where the pool's search path leads, in
// the application's schema or, with a search_path of its own, beside it. It is safe to call from many processes at
// once, they take turns under one advisory lock, and does nothing where there is nothing to do. River's migrations
// cannot run inside a transaction of ours, so a failure may leave some migrations applied; calling it again goes on
// from there.
func Migrate(ctx context.Context, pool *pgxpool.Pool, config MigrateConfig) error {
	if config.RiverSchema == "" {
		config.RiverSchema = DefaultRiverSchema
	}
	if config.Logger == nil {
		config.Logger = slog.New(slog.DiscardHandler)
	}

	// A connection of its own: the lock belongs to the session, and the pool may have only one connection to give.
	conn, err := connectBeside(ctx, pool)
	if err != nil {
		return fmt.Errorf("connecting to migrate: %w", err)
	}
	// Closing the session releases the lock, also after a cancelled context.
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	if err := lockMigrations(ctx, conn); err != nil {
		return fmt.Errorf("waiting for the migration lock: %w", err)
	}

	if !config.WithoutRiver {
		if err := migrateRiver(ctx, conn, pool, config); err != nil {
			return fmt.Errorf("migrating River's tables: %w", err)
		}
	}
	if err := migrateOwn(ctx, pool, config); err != nil {
		return fmt.Errorf("migrating claimsync's tables: %w", err)
	}
	return nil
}

// lockMigrations asks again and again: a query that waits for the lock has a snapshot, for whose end the building of an index
// waits (CREATE INDEX CONCURRENTLY), in the process that has the lock.
func lockMigrations(ctx context.Context, conn *pgx.Conn) error {
	for {
		var locked bool
		if err := conn.QueryRow(ctx, "SELECT pg_try_advisory_lock($1)", migrateLock).Scan(&locked); err != nil || locked {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(migrateLockRetry):
		}
	}
}

// connectBeside connects as the pool does: an application's may fetch its password first, or set its role afterwards.
func connectBeside(ctx context.Context, pool *pgxpool.Pool) (*pgx.Conn, error) {
	config := pool.Config()
	if config.BeforeConnect != nil {
		if err := config.BeforeConnect(ctx, config.ConnConfig); err != nil {
			return nil, err
		}
	}
	conn, err := pgx.ConnectConfig(ctx, config.ConnConfig)
	if err != nil || config.AfterConnect == nil {
		return conn, err
	}
	if err := config.AfterConnect(ctx, conn); err != nil {
		return nil, errors.Join(err, conn.Close(ctx))
	}
	return conn, nil
}

func migrateRiver(ctx context.Context, conn *pgx.Conn, pool *pgxpool.Pool, config MigrateConfig) error {
	schema := pgx.Identifier{config.RiverSchema}.Sanitize()
	if _, err := conn.Exec(ctx, "CREATE SCHEMA IF NOT EXISTS "+schema); err != nil {
		return err
	}
	migrator, err := rivermigrate.New(riverpgxv5.New(pool), &rivermigrate.Config{
		Schema: config.RiverSchema,
		Logger: slog.New(slog.DiscardHandler), // logged below, in our words
	})
	if err != nil {
		return err
	}
	result, err := migrator.Migrate(ctx, rivermigrate.DirectionUp, nil)
	if err != nil {
		return err
	}
	for _, version := range result.Versions {
		config.Logger.InfoContext(ctx, "Migrated", "source", "river", "version", version.Version, "name", version.Name)
	}
	return nil
}

func migrateOwn(ctx context.Context, pool *pgxpool.Pool, config MigrateConfig) (err error) {
	// Closing the handle leaves the pool open.
	handle := stdlib.OpenDBFromPool(pool)
	defer func() { err = errors.Join(err, handle.Close()) }()

	// The registry would have the migrations that the application has written in Go, whose table is another.
	provider, err := goose.NewProvider(goose.DialectPostgres, handle, Migrations(),
		goose.WithTableName(MigrationTable), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return err
	}
	results, err := provider.Up(ctx)
	if err != nil {
		return err
	}
	for _, result := range results {
		config.Logger.InfoContext(ctx, "Migrated", "source", "claimsync", "version", result.Source.Version,
			"name", result.Source.Path)
	}
	return nil
}
