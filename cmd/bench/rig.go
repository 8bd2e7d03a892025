package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/claimsync/claimsync/db"
	"github.com/claimsync/claimsync/db/localpg"
)

// rig is what all scenarios share: a PostgreSQL server, and a build of the program.
type rig struct {
	machine   machine
	program   string // its path
	server    *localpg.Server
	admin     *pgxpool.Pool
	databases atomic.Int64
	closing   closers

	// quiet is held by a busy scenario while it runs, and by others while they start processes: that keeps the processors
	// busy too.
	quiet sync.Mutex
}

// serverConfig is a server as in production, but for its size: what is committed is on disk.
var serverConfig = localpg.Config{
	Durable:  true,
	Settings: map[string]string{"max_connections": "600", "shared_buffers": "128MB"},
}

// newRig starts and builds what is needed. If something fails, what has started is stopped.
func newRig(ctx context.Context) (_ *rig, err error) {
	r := &rig{}
	defer func() {
		if err != nil {
			err = errors.Join(err, r.close())
		}
	}()
	if r.program, err = r.build(ctx); err != nil {
		return nil, err
	}
	if r.server, err = localpg.Start(ctx, serverConfig); err != nil {
		return nil, err
	}
	r.closing.add(r.server.Stop)
	if r.admin, err = db.Open(ctx, r.server.DSN()); err != nil {
		return nil, err
	}
	r.closing.add(func() error { r.admin.Close(); return nil })
	if r.machine, err = describeMachine(ctx, r.admin); err != nil {
		return nil, err
	}
	return r, nil
}

func (r *rig) close() error { return r.closing.close() }

// build builds the program that is measured, into a folder of its own.
func (r *rig) build(ctx context.Context) (string, error) {
	dir, err := os.MkdirTemp("", "claimsync-bench-")
	if err != nil {
		return "", err
	}
	r.closing.add(func() error { return os.RemoveAll(dir) })
	path := filepath.Join(dir, "app")
	command := exec.CommandContext(ctx, "go", "build", "-o", path, "github.com/claimsync/claimsync/cmd/app")
	if output, err := command.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building cmd/app: %w\n%s", err, strings.TrimSpace(string(output)))
	}
	return path, nil
}

// newDatabase makes an empty database, and returns its URL. It lasts as long as the server.
func (r *rig) newDatabase(ctx context.Context) (string, error) {
	name := fmt.Sprintf("bench_%d", r.databases.Add(1))
	if _, err := r.admin.Exec(ctx, "CREATE DATABASE "+name); err != nil {
		return "", fmt.Errorf("creating database %s: %w", name, err)
	}
	return r.server.URL(name), nil
}

// closers stop what was started, the last first.
type closers []func() error

func (c *closers) add(stop func() error) { *c = append(*c, stop) }

func (c *closers) close() (err error) {
	for len(*c) > 0 {
		last := len(*c) - 1
		err = errors.Join(err, (*c)[last]())
		*c = (*c)[:last]
	}
	return err
}
