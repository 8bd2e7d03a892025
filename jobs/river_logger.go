package jobs

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

const (
	// riverLogLevel keeps River's reports on its routine out of the application's log; what goes wrong stays.
	riverLogLevel = slog.LevelWarn
	// riverLogEvery is how often River says the same: while the database is away, every fetch fails, ten a second.
	riverLogEvery = 10 * time.Second
)

// RiverLogger is logger for River itself: without its routine, and with each message at most once in ten seconds, then
// with the number of times that it was left out.
func RiverLogger(logger *slog.Logger) *slog.Logger {
	return slog.New(riverHandler{logger.Handler(), &repetitions{said: map[string]repetition{}}})
}

type riverHandler struct {
	slog.Handler
	repetitions *repetitions // shared by all that derive from one logger
}

// Enabled implements slog.Handler.
func (h riverHandler) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= riverLogLevel && h.Handler.Enabled(ctx, level)
}

// Handle implements slog.Handler.
func (h riverHandler) Handle(ctx context.Context, record slog.Record) error {
	omitted, due := h.repetitions.say(record.Message, record.Time)
	if !due {
		return nil
	}
	if omitted > 0 {
		record.AddAttrs(slog.Int("omitted", omitted))
	}
	return h.Handler.Handle(ctx, record)
}

// WithAttrs implements slog.Handler.
func (h riverHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return riverHandler{h.Handler.WithAttrs(attrs), h.repetitions}
}

// WithGroup implements slog.Handler.
func (h riverHandler) WithGroup(name string) slog.Handler {
	return riverHandler{h.Handler.WithGroup(name), h.repetitions}
}

// repetitions remembers what was said when. River's messages are constants, so it does not grow.
type repetitions struct {
	mu   sync.Mutex
	said map[string]repetition
}

type repetition struct {
	at      time.Time
	omitted int // since then
}

// say reports whether the message is due, and how often it was left out before.
func (r *repetitions) say(message string, now time.Time) (omitted int, due bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	last, repeated := r.said[message]
	if repeated && now.Sub(last.at) < riverLogEvery {
		last.omitted++
		r.said[message] = last
		return 0, false
	}
	r.said[message] = repetition{at: now}
	return last.omitted, true
}
