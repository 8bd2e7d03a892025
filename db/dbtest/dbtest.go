// Package dbtest gives every test a PostgreSQL database of its own, in some tens of milliseconds.
//
//	func TestMain(m *testing.M) { dbtest.Main(m) }
//
//	func TestMark(t *testing.T) {
//		t.Parallel()
//		pool := dbtest.New(t)
//		…
//	}
//
// The first test that asks starts a private server for its test binary (package localpg), or connects to the one that
// DATABASE_URL names, whose role then needs the right to create databases. The migrations run once, in a template; a
// test's database is a copy of it, and is dropped when the test ends. So tests may commit, lock, listen and run in
// parallel without seeing each other. What they do share are the server's roles and its clock.
//
// Package db's own tests have to be in package db_test, as this package imports db.
package dbtest

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/claimsync/claimsync/db"
)

// closeTimeout is how long after a test its connections may still be in use.
const closeTimeout = 10 * time.Second

// New returns a pool, as db.Open makes it, on a new migrated database. Both go when the test ends: a connection that is
// still in use then fails the test. Without PostgreSQL the test fails with the remedy.
func New(t testing.TB) *pgxpool.Pool {
	t.Helper()
	return open(t, URL(t))
}

// NewEmpty is New without migrations.
func NewEmpty(t testing.TB) *pgxpool.Pool {
	t.Helper()
	return open(t, EmptyURL(t))
}

// URL returns the connection string of a new migrated database, for a test that starts the program itself. The database
// is dropped when the test ends, whoever is still connected.
func URL(t testing.TB) string {
	t.Helper()
	server := running(t)
	if err := server.template(); err != nil {
		t.Fatalf("dbtest: %v", err)
	}
	return server.newDatabase(t, server.templateName)
}

// EmptyURL is URL without migrations.
func EmptyURL(t testing.TB) string {
	t.Helper()
	return running(t).newDatabase(t, emptyTemplate)
}

func open(t testing.TB, url string) *pgxpool.Pool {
	t.Helper()
	pool, err := db.Open(context.Background(), url)
	if err != nil {
		t.Fatalf("dbtest: %v", err)
	}
	t.Cleanup(func() { closePool(t, pool, closeTimeout) })
	return pool
}

// closePool reports what a bare Close would wait for forever.
func closePool(t testing.TB, pool *pgxpool.Pool, timeout time.Duration) {
	t.Helper()
	closed := make(chan struct{})
	go func() {
		pool.Close()
		close(closed)
	}()
	select {
	case <-closed:
	case <-time.After(timeout):
		t.Errorf("dbtest: the test left %d connections in use: rows, a transaction or a goroutine did not finish",
			pool.Stat().AcquiredConns())
	}
}
