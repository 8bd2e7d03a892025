package pgproxy

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

func TestLogin(t *testing.T) {
	t.Parallel()
	f := start(t)
	for name, configure := range map[string]func(*pgx.ConnConfig){
		"SCRAM":          func(config *pgx.ConnConfig) { config.RequireAuth = "scram-sha-256" },
		"wrong password": func(config *pgx.ConnConfig) { config.Password = "wrong" },
	} {
		outcome := func(url string) string {
			config, err := pgx.ParseConfig(url)
			if err != nil {
				t.Fatal(err)
			}
			configure(config)
			err = attempt(f.ctx, config)
			return fmt.Sprint(err == nil, code(err))
		}
		if direct, got := outcome(f.url), outcome(f.proxy.URL()); got != direct {
			t.Errorf("%s: %s, without the proxy %s", name, got, direct)
		}
	}
}

// TestTLSIsDeclined is what a client does that would like TLS but can do without.
func TestTLSIsDeclined(t *testing.T) {
	t.Parallel()
	f := start(t)
	config, err := pgx.ParseConfig(strings.Replace(f.proxy.URL(), "sslmode=disable", "sslmode=prefer", 1))
	if err != nil {
		t.Fatal(err)
	}
	if config.TLSConfig == nil {
		t.Fatal("the client does not ask for TLS")
	}
	if err := attempt(f.ctx, config); err != nil {
		t.Error(err)
	}
}

func attempt(ctx context.Context, config *pgx.ConnConfig) error {
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return err
	}
	return conn.Close(ctx)
}

func TestStartErrors(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"postgres://%%%", "postgres://db.example/x?sslmode=verify-full", "port=none"} {
		if proxy, err := Start(url); err == nil {
			t.Errorf("Start(%q) succeeded: %v", url, proxy.Close())
		}
	}
}

func TestURL(t *testing.T) {
	t.Parallel()
	for _, url := range []string{
		"postgres://u:p%40w@db.example:5433/d?sslmode=prefer&pool_max_conns=7",
		"postgresql://u:p%40w@/d?host=/var/run&port=5433&pool_max_conns=7",
		"host=db.example port=5433 user=u password=p@w dbname=d pool_max_conns=7",
	} {
		proxy, err := Start(url)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = proxy.Close() }()
		config, err := pgconn.ParseConfig(proxy.URL())
		if err != nil {
			t.Fatal(err)
		}
		got := fmt.Sprint(config.User, config.Password, config.Database, config.RuntimeParams, config.TLSConfig == nil)
		if want := "u p@w d map[pool_max_conns:7] true"; strings.ReplaceAll(got, " ", "") != strings.ReplaceAll(want, " ", "") {
			t.Errorf("%s became %s, want %s", url, got, want)
		}
		if address := fmt.Sprintf("%s:%d", config.Host, config.Port); address != proxy.listener.Addr().String() {
			t.Errorf("%s became %s", url, address)
		}
	}
}
