package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/claimsync/claimsync/db"
	"github.com/claimsync/claimsync/internal/plainjobs"
	"github.com/claimsync/claimsync/internal/process"
)

// plainCommand is a process of those that claimsync's are compared with.
type plainCommand struct {
	DatabaseURL string        `arg:""`
	ClerkURL    string        `arg:""`
	Workers     int           `required:""`
	Cooldown    time.Duration `help:"River's own by default."`
}

func (*plainCommand) Help() string { return "Works unique River jobs until it is told to stop." }

// plainReady is what a plain process says when it works.
const plainReady = "works\n"

func (c *plainCommand) Run(ctx context.Context, t terminal) error {
	pool, err := db.Open(ctx, c.DatabaseURL)
	if err != nil {
		return err
	}
	defer pool.Close()
	plain, err := plainjobs.Start(ctx, pool, c.ClerkURL, plainjobs.Config{Workers: c.Workers, FetchCooldown: c.Cooldown})
	if err != nil {
		return err
	}
	if _, err := fmt.Fprint(t.stderr, plainReady); err != nil {
		return err
	}
	<-ctx.Done()
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopPatience)
	defer cancel()
	return plain.Stop(stopping)
}

// withPlainProcesses runs fn while so many processes work unique River jobs.
func (f *fleet) withPlainProcesses(ctx context.Context, n int, config plainjobs.Config, fn func() error) (err error) {
	program, err := os.Executable()
	if err != nil {
		return err
	}
	var all []*process.Process
	defer func() {
		for _, p := range all {
			p.Signal(syscall.SIGTERM)
		}
		stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*stopPatience)
		defer cancel()
		for _, p := range all {
			if code, exitErr := p.Exit(stopping); exitErr != nil || code != exitOK {
				p.Kill()
				err = errors.Join(err, exitErr, fmt.Errorf("a process of unique River jobs ended with %d: %s", code, p.Log()))
			}
		}
	}()
	for range n {
		p, err := process.Start(program, nil, "plain", f.url, f.clerk.BaseURL(),
			"--workers", fmt.Sprint(config.Workers), "--cooldown", config.FetchCooldown.String())
		if err != nil {
			return err
		}
		all = append(all, p)
	}
	for _, p := range all {
		if _, err := p.WaitFor(ctx, plainReady); err != nil {
			return err
		}
	}
	return fn()
}
