package main

import (
	"context"
	"fmt"
	"log/slog"
	"strings"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/claimsync/claimsync/db"
)

// prepareSchema migrates, or sees whether that has been done.
func (c *serveCommand) prepareSchema(ctx context.Context, pool *pgxpool.Pool, logger *slog.Logger) error {
	if c.Migrate {
		if err := db.Migrate(ctx, pool, db.MigrateConfig{RiverSchema: c.RiverSchema, Logger: logger}); err != nil {
			return err
		}
	}
	return checkSchema(ctx, pool, c.RiverSchema, logger)
}

// checkSchema says whether the database is that of another version, and fails if the program cannot work on it.
func checkSchema(ctx context.Context, pool *pgxpool.Pool, riverSchema string, logger *slog.Logger) error {
	river, err := db.RiverMigrations(ctx, pool, riverSchema)
	if err != nil {
		return err
	}
	own, err := db.OwnMigrations(ctx, pool)
	if err != nil {
		return err
	}
	missing := append(runs("river", river.Missing), runs("claimsync", own.Missing)...)
	unknown := append(runs("river", river.Unknown), runs("claimsync", own.Unknown)...)
	switch {
	case len(missing) > 0:
		return fmt.Errorf("the database is behind this program, it lacks %s: run app migrate", strings.Join(missing, ", "))
	case len(unknown) > 0:
		logger.WarnContext(ctx, "The database is ahead of this program, which goes on: a newer version migrated it",
			"migrations", strings.Join(unknown, ", "))
	default:
		logger.InfoContext(ctx, "The database is up to date")
	}
	return nil
}

// runs names migrations, those that follow one another by their ends: "claimsync 10 to 12".
func runs(source string, versions []int64) (names []string) {
	for first := 0; first < len(versions); {
		last := first
		for last+1 < len(versions) && versions[last+1] == versions[last]+1 {
			last++
		}
		name := fmt.Sprintf("%s %d", source, versions[first])
		if last > first {
			name += fmt.Sprintf(" to %d", versions[last])
		}
		names = append(names, name)
		first = last + 1
	}
	return names
}
