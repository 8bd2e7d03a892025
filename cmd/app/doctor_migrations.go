package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/claimsync/claimsync/db"
	"github.com/claimsync/claimsync/db/dbsqlc"
)

const migrating = "Run app migrate; app serve does so too, unless it is told not to."

func (x *examination) migrations(ctx context.Context) finding {
	own, err := db.OwnMigrations(ctx, x.pool)
	if err != nil {
		return broken(err)
	}
	x.migrated = len(own.Missing) == 0
	switch newest := len(own.Applied) - 1; {
	case newest < 0:
		return fail("there are no tables of claimsync", migrating)
	case len(own.Missing) > 0:
		return fail("missing: "+versions(own.Missing), migrating)
	case len(own.Unknown) > 0:
		return fail("this program does not know "+versions(own.Unknown)+", which a newer one has applied",
			"Put the newer version of app in place, on this machine too. During a deploy this is as it should be.")
	default:
		return ok("all %d are applied", len(own.Applied))
	}
}

func (x *examination) river(ctx context.Context) finding {
	schema := x.flags.RiverSchema
	river, err := db.RiverMigrations(ctx, x.pool, schema)
	if err != nil {
		return broken(err)
	}
	x.migrated = x.migrated && len(river.Missing) == 0
	switch {
	case len(river.Applied) == 0:
		return x.noRiver(ctx)
	case len(river.Missing) > 0:
		return fail(fmt.Sprintf("in schema %s, River's migrations are missing: %s", schema, versions(river.Missing)), migrating)
	case len(river.Unknown) > 0:
		return warn(fmt.Sprintf("schema %s is of a newer River than this program's: it has %s", schema, versions(river.Unknown)),
			"Another application shares these tables. Bring both to the same version of River.")
	default:
		return ok("its tables are in schema %s", schema)
	}
}

// noRiver looks whether the tables are elsewhere.
func (x *examination) noRiver(ctx context.Context) finding {
	found := "there are no tables of River in schema " + x.flags.RiverSchema
	others, err := dbsqlc.New().RiverSchemaList(ctx, x.pool)
	switch {
	case err != nil:
		return broken(err)
	case len(others) > 0:
		return fail(found, fmt.Sprintf("There are some in %s: if they are to be shared, set RIVER_SCHEMA. Else: %s",
			strings.Join(others, ", "), migrating))
	}
	return fail(found, migrating)
}

// versions are written as the files of the migrations begin.
func versions(numbers []int64) string {
	said := make([]string, len(numbers))
	for i, number := range numbers {
		said[i] = fmt.Sprintf("%05d", number)
	}
	return listed(said)
}
