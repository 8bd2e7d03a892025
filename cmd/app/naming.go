package main

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/claimsync/claimsync/scoring"
)

// naming is what the ids of a command line stand for.
type naming struct {
	ids      map[string]string // by the outbox keys that they name
	unlinked []string          // ids of organizations that have no key
	unknown  []string          // ids of nothing
}

// resolve looks up ids, ours or Clerk's.
func (t *tool) resolve(ctx context.Context, ids []string) (naming, error) {
	named := naming{ids: map[string]string{}}
	for _, id := range slices.Compact(slices.Sorted(slices.Values(ids))) {
		switch key, err := t.sync.Key(ctx, id); {
		case errors.Is(err, scoring.ErrNotFound):
			named.unknown = append(named.unknown, id)
		case err != nil:
			return naming{}, err
		case key == "":
			named.unlinked = append(named.unlinked, id)
		default:
			named.ids[key] = id
		}
	}
	return named, nil
}

// keys are the outbox keys, sorted.
func (n *naming) keys() []string { return slices.Sorted(maps.Keys(n.ids)) }
