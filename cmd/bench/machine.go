package main

import (
	"context"
	"fmt"
	"runtime"

	"github.com/jackc/pgx/v5/pgxpool"
)

// machine is what the figures were seen on.
type machine struct {
	Cores      int    `json:"cores"`
	System     string `json:"system"`
	Go         string `json:"go"`
	PostgreSQL string `json:"postgresql"`
}

func describeMachine(ctx context.Context, pool *pgxpool.Pool) (machine, error) {
	m := machine{Cores: runtime.NumCPU(), System: runtime.GOOS + "/" + runtime.GOARCH, Go: runtime.Version()}
	// Without what a distribution adds, as in "15.18 (Debian 15.18-0+deb12u1)".
	err := pool.QueryRow(ctx, `SELECT split_part(current_setting('server_version'), ' ', 1)`).Scan(&m.PostgreSQL)
	if err != nil {
		return m, fmt.Errorf("asking PostgreSQL for its version: %w", err)
	}
	return m, nil
}

func (m machine) String() string {
	return fmt.Sprintf("%d cores, %s, %s, PostgreSQL %s", m.Cores, m.System, m.Go, m.PostgreSQL)
}
