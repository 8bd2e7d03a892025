// Package recurring does things again and again, beside all else that a process does.
package recurring

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"time"
)

// ErrSkipped is returned by what was not done this time, because it was another process's turn: it neither failed nor works.
var ErrSkipped = errors.New("skipped")

// Run does something about as often as every, until ctx is done. It goes on through failures: of those in a row the first is
// logged, and that it works again. what is what is done, as in "Maintaining the outbox".
func Run(ctx context.Context, logger *slog.Logger, what string, every time.Duration, do func(context.Context) error) {
	failing := false
	for {
		err := do(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case errors.Is(err, ErrSkipped):
		case err != nil && !failing:
			logger.ErrorContext(ctx, what+" fails", "err", err)
		case err == nil && failing:
			logger.InfoContext(ctx, what+" works again")
		}
		if !errors.Is(err, ErrSkipped) {
			failing = err != nil
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(every - every/8 + rand.N(every/4+1)): // so that processes do not fall in step
		}
	}
}
