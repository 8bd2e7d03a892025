package db

import (
	"context"
	"fmt"
	"regexp"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// defaultMaxConns is the pool's size unless the URL says otherwise (pool_max_conns): delivery workers hold a
// connection for a millisecond at a time, so far fewer are needed than there are workers.
const defaultMaxConns = 20

// Open makes a pool for the database at url (a libpq URL or keyword string; pgxpool's parameters such as
// pool_max_conns are understood). It does not connect yet: the database may be away, now or later, and the pool
// recovers by itself. The edits change the configuration, for instrumentation. The caller closes the pool.
func Open(ctx context.Context, url string, edits ...func(*pgxpool.Config)) (*pgxpool.Pool, error) {
	config, err := Config(url)
	if err != nil {
		return nil, err
	}
	for _, edit := range edits {
		edit(config)
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("opening the database: %w", err)
	}
	return pool, nil
}

// Config is the pool configuration that Open uses. The error names no password.
func Config(url string) (*pgxpool.Config, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("database URL: %w", err) // pgx redacts the password
	}
	if _, set := config.ConnConfig.RuntimeParams["application_name"]; !set {
		config.ConnConfig.RuntimeParams["application_name"] = "claimsync"
	}
	// Times are shown as they are stored, whatever the server's zone.
	config.ConnConfig.RuntimeParams["timezone"] = "UTC"
	if !hasParam(url, "pool_max_conns") {
		config.MaxConns = defaultMaxConns
	}
	if config.ConnConfig.ConnectTimeout == 0 {
		config.ConnConfig.ConnectTimeout = 5 * time.Second
	}
	return config, nil
}

// hasParam reports whether the connection string sets a parameter; pgxpool does not tell a default from a choice.
func hasParam(url, name string) bool {
	return regexp.MustCompile(`\b` + name + `\s*=`).MatchString(url)
}
