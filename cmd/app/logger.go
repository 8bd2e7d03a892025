package main

import (
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/lmittmann/tint"
	"golang.org/x/term"
)

// newLogger logs to w: for people if it is a terminal, else for machines. format and level are as the flags allow.
func newLogger(w io.Writer, format, level string) *slog.Logger {
	var least slog.Level
	_ = least.UnmarshalText([]byte(level)) // the flag's enum allows nothing else
	if format == "tint" || format == "auto" && isTerminal(w) {
		options := &tint.Options{Level: least, TimeFormat: time.TimeOnly, NoColor: !isTerminal(w)}
		return slog.New(tint.NewTextHandler(w, options))
	}
	return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: least}))
}

// isTerminal reports whether a person is at the other end of the stream.
func isTerminal(stream any) bool {
	file, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}
