package pgproxy

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/claimsync/claimsync/db/dbtest"
)

// BenchmarkProxy measures what the proxy adds to a round trip, and to an answer of 10,000 rows.
func BenchmarkProxy(b *testing.B) {
	url := dbtest.EmptyURL(b)
	proxy, err := Start(url)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = proxy.Close() })
	proxy.Count("^-- name: Never ")
	for _, query := range []struct{ name, sql string }{
		{"round-trip", "SELECT $1::int"},
		{"rows", "SELECT n FROM generate_series(1, 10000 * $1::int) AS n"},
	} {
		b.Run(query.name+"/direct", func(b *testing.B) { benchmark(b, url, query.sql) })
		b.Run(query.name+"/through", func(b *testing.B) { benchmark(b, proxy.URL(), query.sql) })
	}
}

func benchmark(b *testing.B, url, sql string) {
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = conn.Close(ctx) }()
	for b.Loop() {
		if _, err := conn.Exec(ctx, sql, 1); err != nil {
			b.Fatal(err)
		}
	}
}
