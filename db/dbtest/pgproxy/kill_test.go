package pgproxy

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"testing"

	"github.com/jackc/pgx/v5"
)

// victimURL makes this test binary a program that inserts a row.
const victimURL = "PGPROXY_TEST_VICTIM_URL"

func beVictim(url string) int {
	if err := insertOnce(context.Background(), url); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func insertOnce(ctx context.Context, url string) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, "INSERT INTO t VALUES ($1)", os.Getpid())
		return err
	})
}

func TestKilledProgram(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		arm  func(*Proxy) *Breakpoint
		end  func(*Breakpoint)
		rows int
	}{
		"before":           {func(p *Proxy) *Breakpoint { return p.BreakBefore("^commit$") }, (*Breakpoint).Sever, 0},
		"before, released": {func(p *Proxy) *Breakpoint { return p.BreakBefore("^commit$") }, (*Breakpoint).Release, 1},
		"after":            {func(p *Proxy) *Breakpoint { return p.BreakAfter("^commit$") }, (*Breakpoint).Sever, 1},
		"after, released":  {func(p *Proxy) *Breakpoint { return p.BreakAfter("^commit$") }, (*Breakpoint).Release, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := start(t)
			commit := test.arm(f.proxy)
			program := exec.CommandContext(t.Context(), os.Args[0])
			program.Env = append(os.Environ(), victimURL+"="+f.proxy.URL())
			program.Stderr = t.Output()
			if err := program.Start(); err != nil {
				t.Fatal(err)
			}
			err := commit.Wait(f.ctx)
			_ = program.Process.Kill()
			_ = program.Wait()
			if err != nil {
				t.Fatal(err)
			}
			test.end(commit)
			f.untilAlone()
			f.wantRows(test.rows)
		})
	}
}
