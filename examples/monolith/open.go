package main

import (
	"context"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/claimsync/claimsync/db"
)

// open opens the database, and tells whether that is behind a pooler, in whose sessions nothing may then be left.
func open(ctx context.Context, url string) (pool *pgxpool.Pool, pooled bool, err error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, false, err
	}
	if pool, err = pgxpool.NewWithConfig(ctx, config); err != nil {
		return nil, false, err
	}
	if pooled, err = db.IsPooled(ctx, pool); err == nil && !pooled {
		return pool, false, nil
	}
	pool.Close()
	if err != nil {
		return nil, false, err
	}
	db.WithoutSessions(config)
	pool, err = pgxpool.NewWithConfig(ctx, config)
	return pool, true, err
}
