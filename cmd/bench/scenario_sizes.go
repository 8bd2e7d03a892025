package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
)

// tableSizes is how much room organizations take that are in step.
type tableSizes struct {
	organizations int
}

func (s tableSizes) run(ctx context.Context, b *bench) ([]bound, error) {
	return b.withFleet(ctx, fleetConfig{clerk: clerkOf(production)}, func(f *fleet) (bounds []bound, err error) {
		if err := f.populate(ctx, s.organizations, true); err != nil {
			return nil, err
		}
		tables := map[string][]string{
			"organizations": {"organizations"}, "outbox": {"outbox"}, "all facts": slices.Collect(maps.Keys(factColumns)),
		}
		for _, name := range slices.Sorted(maps.Keys(tables)) {
			bytes, err := query[float64](ctx, f, `SELECT sum(pg_total_relation_size(t::regclass))::float8 FROM unnest($1::text[]) AS t`, tables[name])
			if err != nil {
				return nil, err
			}
			bounds = append(bounds, bound{what: fmt.Sprintf("bytes per organization of %s, with indexes", name), seen: bytes / float64(s.organizations)})
		}
		return bounds, nil
	})
}
