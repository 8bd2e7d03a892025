package db

import (
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"regexp"
	"slices"
	"strings"

	"github.com/jackc/pgerrcode"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/pressly/goose/v3"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"

	"github.com/claimsync/claimsync/db/dbsqlc"
)

// MigrationState is how far a database is migrated, as this program sees it. Versions are in ascending order.
type MigrationState struct {
	Applied []int64 // both those that are known and those that are not
	Missing []int64 // known, and not applied
	Unknown []int64 // applied, by a newer program
}

// OwnMigrations reads which of claimsync's migrations are applied. Like RiverMigrations it changes nothing, where the
// packages that migrate would create their tables.
func OwnMigrations(ctx context.Context, conn Querier) (MigrationState, error) {
	known, err := ownVersions()
	if err != nil {
		return MigrationState{}, err
	}
	return migrationState(known, func() ([]int64, error) { return dbsqlc.New().MigrationList(ctx, conn) })
}

// RiverMigrations reads which of River's migrations are applied in the schema. River's own package would not tell of those
// that it does not know.
func RiverMigrations(ctx context.Context, pool *pgxpool.Pool, schema string) (MigrationState, error) {
	migrator, err := rivermigrate.New(riverpgxv5.New(pool), &rivermigrate.Config{
		Schema: schema, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return MigrationState{}, err
	}
	var known []int64
	for _, version := range migrator.AllVersions() {
		known = append(known, int64(version.Version))
	}
	return migrationState(known, func() ([]int64, error) {
		rows, err := pool.Query(ctx, "SELECT version FROM "+pgx.Identifier{schema, "river_migration"}.Sanitize()+
			" WHERE line = 'main' ORDER BY version")
		if err != nil {
			return nil, err
		}
		return pgx.CollectRows(rows, pgx.RowTo[int64])
	})
}

// migrationState compares what is known with what is applied. Where there is no table of them, none is.
func migrationState(known []int64, read func() ([]int64, error)) (MigrationState, error) {
	applied, err := read()
	if err != nil && Code(err) != pgerrcode.UndefinedTable {
		return MigrationState{}, fmt.Errorf("reading which migrations are applied: %w", err)
	}
	return MigrationState{
		Applied: applied,
		Missing: without(known, applied),
		Unknown: without(applied, known),
	}, nil
}

func without(versions, others []int64) []int64 {
	return slices.DeleteFunc(slices.Clone(versions), func(v int64) bool { return slices.Contains(others, v) })
}

// ownVersions are those of the migrations that are built in.
func ownVersions() (versions []int64, err error) {
	err = eachMigration(func(name, _ string) error {
		version, err := goose.NumericComponent(name)
		versions = append(versions, version)
		return err
	})
	return versions, err
}

var createTable = regexp.MustCompile(`(?m)^CREATE TABLE (\w+)`)

// Tables are the names of claimsync's own tables.
func Tables() (names []string, err error) {
	err = eachMigration(func(_, text string) error {
		up, _, _ := strings.Cut(text, "-- +goose Down")
		for _, match := range createTable.FindAllStringSubmatch(up, -1) {
			names = append(names, match[1])
		}
		return nil
	})
	return names, err
}

// eachMigration goes through the files in the order in which they are applied.
func eachMigration(fn func(name, text string) error) error {
	files, err := fs.ReadDir(migrationFiles, "migrations")
	if err != nil {
		return err
	}
	for _, file := range files {
		text, err := fs.ReadFile(migrationFiles, "migrations/"+file.Name())
		if err == nil {
			err = fn(file.Name(), string(text))
		}
		if err != nil {
			return err
		}
	}
	return nil
}
