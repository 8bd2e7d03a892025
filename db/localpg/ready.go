//go:build unix

package localpg

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	pollInterval = 10 * time.Millisecond
	pingTimeout  = 2 * time.Second
)

// awaitReady returns once the server answers, or with the reason why it will not.
func (s *Server) awaitReady(ctx context.Context) error {
	alive, cancel := s.guard.whileAlive(ctx)
	defer cancel()
	ticker := time.NewTicker(pollInterval)
	defer ticker.Stop()
	for {
		err := s.ping(alive)
		if err == nil {
			return nil
		}
		select {
		case <-alive.Done():
		case <-ticker.C:
			continue
		}
		if ctx.Err() != nil {
			return fmt.Errorf("waiting for the server to answer (%w): %w", context.Cause(ctx), err)
		}
		return s.exitError()
	}
}

// ping connects once. Somebody else's server may have got the port; it is not mistaken for ours because SCRAM
// proves to both sides that the other one knows the random password.
func (s *Server) ping(ctx context.Context) error {
	config, err := pgx.ParseConfig(s.DSN())
	if err != nil {
		return err
	}
	config.RequireAuth = "scram-sha-256"
	ctx, cancel := context.WithTimeout(ctx, pingTimeout)
	defer cancel()
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return err
	}
	return conn.Close(ctx)
}

// exitError says why the server ended instead of answering. That the port was lost is seen by trying it, not by
// matching the text of the log.
func (s *Server) exitError() error {
	if portTaken(s.port) {
		return fmt.Errorf("port %d: %w", s.port, errPortTaken)
	}
	if s.guard.err != nil {
		return fmt.Errorf("the server ended: %w", s.guard.err)
	}
	return fmt.Errorf("the server ended")
}
