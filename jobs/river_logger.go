package jobs

import (
	"context"
	"log/slog"
)

// riverLogLevel keeps River's reports on itself out of the application's log; what goes wrong stays.
const riverLogLevel = slog.LevelWarn

// RiverLogger is logger for River itself: without what it reports only of its routine.
func RiverLogger(logger *slog.Logger) *slog.Logger {
	return slog.New(riverHandler{logger.Handler()})
}

type riverHandler struct{ slog.Handler }

func (h riverHandler) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= riverLogLevel && h.Handler.Enabled(ctx, level)
}

func (h riverHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return riverHandler{h.Handler.WithAttrs(attrs)}
}

func (h riverHandler) WithGroup(name string) slog.Handler {
	return riverHandler{h.Handler.WithGroup(name)}
}
