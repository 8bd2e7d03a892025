package main

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/claimsync/claimsync/clerk/clerktest"
)

// commit is a change of an organization.
type commit struct {
	key     string
	version int64
	at      time.Time
}

// changeUntil changes organizations at random, so many a second, until stopped, and returns the changes.
func (f *fleet) changeUntil(ctx context.Context, stopped <-chan struct{}, rate float64) (commits []commit, err error) {
	pause := time.Duration(float64(time.Second) / rate)
	for {
		select {
		case <-stopped:
			return commits, nil
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-time.After(pause/2 + rand.N(pause)):
		}
		made, err := f.commit(ctx, f.keys[rand.IntN(len(f.keys))])
		if err != nil {
			return nil, err
		}
		commits = append(commits, made)
	}
}

// commit commits the next change of an organization.
func (f *fleet) commit(ctx context.Context, key string) (commit, error) {
	made := commit{key: key}
	err := pgx.BeginFunc(ctx, f.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, changeClaims, []string{key}); err != nil {
			return err
		}
		if err := f.announce(ctx, tx, []string{key}); err != nil {
			return err
		}
		return tx.QueryRow(ctx, `SELECT desired_version FROM outbox WHERE key = $1`, key).Scan(&made.version)
	})
	made.at = time.Now()
	if err != nil {
		return made, fmt.Errorf("changing %s: %w", key, err)
	}
	return made, nil
}

// latencies are the times from the commits until Clerk had applied them, or something newer; sorted. All must have arrived.
func (f *fleet) latencies(commits []commit) (latencies, error) {
	writes := map[string][]clerktest.Write{}
	for _, write := range f.clerk.Writes() {
		writes[write.Organization] = append(writes[write.Organization], write)
	}
	var all latencies
	for _, c := range commits {
		at := slices.IndexFunc(writes[c.key], func(w clerktest.Write) bool { return w.Version >= c.version })
		if at < 0 {
			return nil, fmt.Errorf("version %d of %s never came to Clerk", c.version, c.key)
		}
		all = append(all, max(0, writes[c.key][at].Applied.Sub(c.at)))
	}
	slices.Sort(all)
	return all, nil
}

// latencies are sorted.
type latencies []time.Duration

func sortedLatencies(all latencies) latencies {
	slices.Sort(all)
	return all
}

// percentile is the least of them that so many percent do not exceed. Of none, it is more than could be seen.
func (l latencies) percentile(percent float64) elapsed {
	if len(l) == 0 {
		return elapsed{beyond: true}
	}
	return lasting(l[max(1, int(math.Ceil(percent/100*float64(len(l)))))-1])
}
