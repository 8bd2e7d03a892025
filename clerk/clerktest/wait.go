package clerktest

import (
	"context"
	"fmt"
)

// WaitFor returns when the condition holds, or when ctx is done. The condition may call the server's methods. It is
// asked now and after every change of what they return, but for session tokens, and for what only passing time changes:
// of that, only the beginning and the end of a fault wake it.
func (s *Server) WaitFor(ctx context.Context, condition func() bool) error {
	for {
		s.mu.Lock()
		changed := s.changed
		s.mu.Unlock()
		if condition() {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("waiting for the emulator: %w", context.Cause(ctx))
		}
	}
}

// WaitForWrite waits for an applied write that matches, past ones included, and returns the first.
func (s *Server) WaitForWrite(ctx context.Context, matches func(Write) bool) (Write, error) {
	var found Write
	err := s.WaitFor(ctx, func() bool {
		for _, write := range s.Writes() {
			if matches(write) {
				found = write
				return true
			}
		}
		return false
	})
	return found, err
}
