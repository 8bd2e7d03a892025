package dbtest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/claimsync/claimsync/db/localpg"
)

func TestMain(m *testing.M) { Main(m) }

func query[T any](t *testing.T, pool *pgxpool.Pool, sql string, args ...any) T {
	t.Helper()
	var value T
	if err := pool.QueryRow(t.Context(), sql, args...).Scan(&value); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return value
}

const countTables = "SELECT count(*) FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"

func TestNewIsMigratedAndPrivate(t *testing.T) {
	t.Parallel()
	for i := range 12 { // parallel copies of one template
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			pool := New(t)
			if query[int](t, pool, countTables) < 2 {
				t.Error("the database is not migrated")
			}
			if _, err := pool.Exec(t.Context(), "CREATE TABLE mine ()"); err != nil {
				t.Error(err) // there already: the database is another test's too
			}
		})
	}
}

func TestNewEmptyIsEmpty(t *testing.T) {
	t.Parallel()
	if n := query[int](t, NewEmpty(t), countTables); n != 0 {
		t.Errorf("%d tables, want none", n)
	}
}

func TestDatabaseGoesWithItsTest(t *testing.T) {
	t.Parallel()
	var name string
	t.Run("test", func(t *testing.T) {
		name = query[string](t, New(t), "SELECT current_database()")
		forgotten, err := pgx.Connect(context.Background(), running(t).url(name))
		if err != nil {
			t.Fatal(err)
		}
		_ = forgotten // the server closes it
	})
	const exists = "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)"
	if query[bool](t, running(t).admin, exists, name) {
		t.Errorf("database %s is still there", name)
	}
}

// failures stands in for a test that fails.
type failures struct {
	testing.TB
	said []string
}

func (f *failures) Errorf(format string, args ...any) {
	f.said = append(f.said, fmt.Sprintf(format, args...))
}

func TestConnectionInUseFailsItsTest(t *testing.T) {
	t.Parallel()
	pool, err := pgxpool.New(t.Context(), EmptyURL(t))
	if err != nil {
		t.Fatal(err)
	}
	conn, err := pool.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	report := &failures{TB: t}
	closePool(report, pool, time.Millisecond)
	if len(report.said) != 1 || !strings.Contains(report.said[0], "1 connections in use") {
		t.Errorf("reported %q", report.said)
	}
	conn.Release()
}

// TestServerThatIsThere is what DATABASE_URL does.
func TestServerThatIsThere(t *testing.T) {
	t.Parallel()
	there, err := localpg.Start(t.Context(), localpg.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := there.Stop(); err != nil {
			t.Error(err)
		}
	}()
	databases := func() []string {
		conn, err := pgx.Connect(t.Context(), there.DSN())
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close(t.Context()) }()
		rows, _ := conn.Query(t.Context(), "SELECT datname FROM pg_database ORDER BY 1") // error: in rows
		names, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			t.Fatal(err)
		}
		return names
	}

	before := databases()
	server, err := startServer(t.Context(), there.DSN())
	if err != nil {
		t.Fatal(err)
	}
	t.Run("test", func(t *testing.T) {
		if err := server.template(); err != nil {
			t.Fatal(err)
		}
		pool := open(t, server.newDatabase(t, server.templateName))
		if query[int](t, pool, countTables) < 2 {
			t.Error("the database is not migrated")
		}
	})
	if err := server.close(); err != nil {
		t.Fatal(err)
	}
	if after := databases(); !slices.Equal(before, after) {
		t.Errorf("databases before %q, after %q", before, after)
	}
}

func TestServerThatIsNotThere(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"postgres://127.0.0.1:1/none", "postgres://%%%"} {
		if _, err := startServer(t.Context(), url); err == nil {
			t.Errorf("startServer(%q) succeeded", url)
		}
	}
}

func TestWithDatabase(t *testing.T) {
	t.Parallel()
	for _, url := range []string{
		"postgres://u:p%40w@db.example:5433/old?sslmode=disable",
		"postgresql://u:p%40w@db.example:5433?dbname=old&sslmode=disable",
		"host=db.example port=5433 user=u password=p@w dbname=old sslmode=disable",
	} {
		config, err := pgx.ParseConfig(withDatabase(url, "new"))
		if err != nil {
			t.Fatal(err)
		}
		if config.Database != "new" || config.Host != "db.example" || config.Port != 5433 || config.Password != "p@w" {
			t.Errorf("%s became database %q on %s:%d, password %q", url, config.Database, config.Host, config.Port, config.Password)
		}
	}
}
