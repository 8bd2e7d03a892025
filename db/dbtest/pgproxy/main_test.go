package pgproxy

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/claimsync/claimsync/db/dbtest"
)

func TestMain(m *testing.M) {
	if url := os.Getenv(victimURL); url != "" {
		os.Exit(beVictim(url))
	}
	dbtest.Main(m)
}

// patience is what a step may take on a busy machine; it is waited for only by a test that fails.
const patience = 20 * time.Second

// fixture is a database of the test's own, with a table t of integers.
type fixture struct {
	*testing.T
	ctx    context.Context
	url    string
	proxy  *Proxy
	direct *pgxpool.Pool
	pool   *pgxpool.Pool // through the proxy
}

func start(t *testing.T) *fixture {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	f := &fixture{T: t, ctx: ctx, url: dbtest.EmptyURL(t)}
	var err error
	if f.proxy, err = Start(f.url); err != nil {
		t.Fatal(err)
	}
	f.direct, f.pool = f.open(f.url), f.open(f.proxy.URL())
	t.Cleanup(func() { // before the pools: theirs waits for connections that are held
		if err := f.proxy.Close(); err != nil {
			t.Error(err)
		}
	})
	f.exec(f.direct, "CREATE TABLE t (id bigint)")
	return f
}

func (f *fixture) open(url string) *pgxpool.Pool {
	f.Helper()
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		f.Fatal(err)
	}
	config.MaxConns = 8
	pool, err := pgxpool.NewWithConfig(f.ctx, config)
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(pool.Close)
	return pool
}

// connect returns a single connection through the proxy, for what depends on being the same one.
func (f *fixture) connect(configure ...func(*pgx.ConnConfig)) *pgx.Conn {
	f.Helper()
	config, err := pgx.ParseConfig(f.proxy.URL())
	if err != nil {
		f.Fatal(err)
	}
	for _, c := range configure {
		c(config)
	}
	conn, err := pgx.ConnectConfig(f.ctx, config)
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

// querier is a pool, a connection or a transaction.
type querier interface {
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

func (f *fixture) exec(q querier, sql string, args ...any) {
	f.Helper()
	if _, err := q.Exec(f.ctx, sql, args...); err != nil {
		f.Fatalf("%s: %v", sql, err)
	}
}

func value[T any](f *fixture, q querier, sql string, args ...any) T {
	f.Helper()
	var value T
	if err := q.QueryRow(f.ctx, sql, args...).Scan(&value); err != nil {
		f.Fatalf("%s: %v", sql, err)
	}
	return value
}

// wantRows is about what is committed.
func (f *fixture) wantRows(want int) {
	f.Helper()
	if got := value[int](f, f.direct, "SELECT count(*) FROM t"); got != want {
		f.Errorf("%d rows are committed, want %d", got, want)
	}
}

// insert inserts in a transaction.
func (f *fixture) insert(id int) error {
	return pgx.BeginFunc(f.ctx, f.pool, func(tx pgx.Tx) error {
		_, err := tx.Exec(f.ctx, "-- name: Insert :exec\nINSERT INTO t VALUES ($1)", id)
		return err
	})
}

// async runs what is going to be held. Its error comes once.
func async(f func() error) <-chan error {
	done := make(chan error, 1)
	go func() { done <- f() }()
	return done
}

func (f *fixture) wantHit(b *Breakpoint) {
	f.Helper()
	if err := b.Wait(f.ctx); err != nil {
		f.Fatal(err)
	}
}

func (f *fixture) wantDone(done <-chan error) {
	f.Helper()
	if err := f.result(done); err != nil {
		f.Errorf("it failed: %v", err)
	}
}

// wantBroken is about a client that was never answered.
func (f *fixture) wantBroken(done <-chan error) {
	f.Helper()
	err := f.result(done)
	if err == nil || code(err) != "" {
		f.Errorf("the client got %v, want a broken connection", err)
	}
}

func (f *fixture) result(done <-chan error) error {
	f.Helper()
	select {
	case err := <-done:
		return err
	case <-f.ctx.Done():
		f.Fatal("it is still going on")
		return nil
	}
}

// code is the server's SQLSTATE, if the error is the server's.
func code(err error) string {
	var pgErr *pgconn.PgError
	if errors.As(err, &pgErr) {
		return pgErr.Code
	}
	return ""
}

// until waits for a condition of the server, as SQL.
func (f *fixture) until(condition string, args ...any) {
	f.Helper()
	for !value[bool](f, f.direct, "SELECT "+condition, args...) {
		time.Sleep(2 * time.Millisecond)
	}
}

// untilAlone waits for the server to give up all sessions but those of direct.
func (f *fixture) untilAlone() {
	f.Helper()
	f.until(`NOT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database()
		AND backend_type = 'client backend' AND pid <> ALL ($1))`, f.directPIDs())
}

func (f *fixture) directPIDs() []int {
	f.Helper()
	var pids []int
	for _, conn := range f.direct.AcquireAllIdle(f.ctx) {
		pids = append(pids, int(conn.Conn().PgConn().PID()))
		conn.Release()
	}
	return pids
}
