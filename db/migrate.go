package db

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"

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
// MigrationTable, so that Migrate knows of them, and without goose's global registry, or what the application has written in
// Go would be taken for ours:
//
//	goose.NewProvider(goose.DialectPostgres, handle, db.Migrations(),
//		goose.WithTableName(db.MigrationTable), goose.WithDisableGlobalRegistry(true))
//
// With another tool, by its import of that format. River's are not among them: see its package rivermigrate.
func Migrations() fs.FS {
	files, err := fs.Sub(migrationFiles, "migrations")
	if err != nil {
		panic(err) // they are built in
	}
	return files
}

// DefaultRiverSchema is the schema of River's tables unless configured otherwise.
const DefaultRiverSchema = "river"

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

// Migrate brings River's tables and claimsync's own to their newest version. Ours are in the first
// schema of the pool's search path, which has to be there: the application's or, as in claimsync,public, one of our own. It
// is safe to call from many processes at once, they take turns under advisory locks, and does nothing where there is nothing
// to do. It works through a pooler. It takes three connections, one of the pool's and two beside it that hold the locks: if one
// of these is lost, it fails after the migration that is under way. River's migrations cannot run inside a transaction of
// ours, and indexes are built CONCURRENTLY, so a failure may leave some migrations applied; calling it again goes on from
// there.
func Migrate(ctx context.Context, pool *pgxpool.Pool, config MigrateConfig) error {
	if config.RiverSchema == "" {
		config.RiverSchema = DefaultRiverSchema
	}
	if config.Logger == nil {
		config.Logger = slog.New(slog.DiscardHandler)
	}

	if err := checkSearchPath(ctx, pool); err != nil {
		return fmt.Errorf("migrating: %w", err)
	}
	ctx, turn, err := takeTurn(ctx, pool, config.Logger)
	if err != nil {
		return err
	}
	defer turn.end()

	if !config.WithoutRiver {
		if err := migrateRiver(ctx, pool, config, turn); err != nil {
			return fmt.Errorf("migrating River's tables: %w", err)
		}
	}
	if err := migrateOwn(ctx, pool, config, turn); err != nil {
		return fmt.Errorf("migrating claimsync's tables: %w", err)
	}
	return nil
}

func migrateRiver(ctx context.Context, pool *pgxpool.Pool, config MigrateConfig, turn *turn) error {
	if err := createSchema(ctx, pool, config.RiverSchema); err != nil {
		return err
	}
	migrator, err := newRiverMigrator(pool, config.RiverSchema)
	if err != nil {
		return err
	}
	one := &rivermigrate.MigrateOpts{MaxSteps: 1}
	return turn.steps(func() (done bool, err error) {
		result, err := migrator.Migrate(ctx, rivermigrate.DirectionUp, one)
		if err != nil {
			return false, err
		}
		for _, version := range result.Versions {
			config.Logger.InfoContext(ctx, "Migrated", "source", "river", "version", version.Version, "name", version.Name)
		}
		return len(result.Versions) == 0, nil
	})
}

func newRiverMigrator(pool *pgxpool.Pool, schema string) (*rivermigrate.Migrator[pgx.Tx], error) {
	return rivermigrate.New(riverpgxv5.New(pool), &rivermigrate.Config{
		Schema: schema,
		Logger: slog.New(slog.DiscardHandler), // what is applied is logged in our words
	})
}

func migrateOwn(ctx context.Context, pool *pgxpool.Pool, config MigrateConfig, turn *turn) (err error) {
	// Closing the handle leaves the pool open.
	handle := stdlib.OpenDBFromPool(pool)
	defer func() { err = errors.Join(err, handle.Close()) }()

	// The registry would have the migrations that the application has written in Go, whose table is another.
	provider, err := goose.NewProvider(goose.DialectPostgres, handle, Migrations(),
		goose.WithTableName(MigrationTable), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return err
	}
	return turn.steps(func() (done bool, err error) {
		result, err := provider.UpByOne(ctx)
		if errors.Is(err, goose.ErrNoNextVersion) {
			return true, nil
		}
		if err != nil {
			return false, err
		}
		config.Logger.InfoContext(ctx, "Migrated", "source", "claimsync", "version", result.Source.Version,
			"name", result.Source.Path)
		return false, nil
	})
}
