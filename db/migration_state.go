package db

import (
	"context"
	"fmt"
	"io/fs"
	"slices"

	"github.com/jackc/pgerrcode"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/pressly/goose/v3"
)

// MigrationState is how far a database is migrated, as this program sees it. Versions are in ascending order.
type MigrationState struct {
	Applied []int64 // known or not

	// Missing have not been applied: the program cannot work yet.
	Missing []int64

	// Unknown are of a newer version of the program. Migrations only add what the version before can do without, so this one
	// goes on working: while it is being replaced, or after it was taken back.
	Unknown []int64
}

// OwnMigrations reads which of claimsync's migrations are applied. Like RiverMigrations it changes nothing, and works on an
// empty database.
func OwnMigrations(ctx context.Context, pool *pgxpool.Pool) (MigrationState, error) {
	var known []int64
	files, err := fs.Glob(migrationFiles, "migrations/*.sql")
	if err != nil {
		return MigrationState{}, err
	}
	for _, file := range files {
		version, err := goose.NumericComponent(file)
		if err != nil {
			return MigrationState{}, err
		}
		known = append(known, version)
	}
	// goose begins by noting version 0.
	return readMigrations(ctx, pool, known, "SELECT version_id FROM "+MigrationTable+" WHERE is_applied AND version_id > 0")
}

// RiverMigrations reads which of River's migrations are applied in the schema. River's own Validate does not tell of those
// that it does not know.
func RiverMigrations(ctx context.Context, pool *pgxpool.Pool, schema string) (MigrationState, error) {
	migrator, err := newRiverMigrator(pool, schema)
	if err != nil {
		return MigrationState{}, err
	}
	var known []int64
	for _, migration := range migrator.AllVersions() {
		known = append(known, int64(migration.Version))
	}
	table := pgx.Identifier{schema, "river_migration"}.Sanitize()
	return readMigrations(ctx, pool, known, "SELECT version FROM "+table+" WHERE line = 'main'")
}

func readMigrations(ctx context.Context, pool *pgxpool.Pool, known []int64, query string) (MigrationState, error) {
	rows, _ := pool.Query(ctx, query+" ORDER BY 1") // its error is in rows
	applied, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil && Code(err) != pgerrcode.UndefinedTable { // without which there are none
		return MigrationState{}, fmt.Errorf("reading which migrations are applied: %w", err)
	}
	return MigrationState{Applied: applied, Missing: without(known, applied), Unknown: without(applied, known)}, nil
}

func without(versions, others []int64) []int64 {
	return slices.DeleteFunc(slices.Clone(versions), func(v int64) bool { return slices.Contains(others, v) })
}
