package dbtest

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
)

// Example gives a runnable example what New gives a test: a pool on a new migrated database, for as long as body runs. It
// panics where a test would fail.
func Example(body func(ctx context.Context, pool *pgxpool.Pool)) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	e := &example{ctx: ctx}
	defer func() {
		for _, cleanup := range slices.Backward(e.cleanups) {
			cleanup()
		}
	}()
	body(ctx, New(e))
}

// example stands in for a test.
type example struct {
	testing.TB
	ctx      context.Context
	cleanups []func()
}

func (e *example) Helper()                           {}
func (e *example) Context() context.Context          { return e.ctx }
func (e *example) Cleanup(cleanup func())            { e.cleanups = append(e.cleanups, cleanup) }
func (e *example) Errorf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }
func (e *example) Fatalf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }
