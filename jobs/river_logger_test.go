package jobs_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/claimsync/claimsync/jobs"
)

func TestRiverLogger(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	handler := jobs.RiverLogger(slog.New(slog.NewTextHandler(&log, nil))).With("producer", "p").Handler()
	start := time.Now()
	say := func(level slog.Level, message string, after time.Duration) {
		record := slog.NewRecord(start.Add(after), level, message, 0)
		if !handler.Enabled(context.Background(), level) {
			return
		}
		if err := handler.Handle(context.Background(), record); err != nil {
			t.Fatal(err)
		}
	}
	say(slog.LevelInfo, "routine", 0)
	for i := range 50 {
		say(slog.LevelError, "fetch failed", time.Duration(i)*100*time.Millisecond)
	}
	say(slog.LevelError, "another", time.Second)
	say(slog.LevelError, "fetch failed", 11*time.Second)

	lines := strings.Split(strings.TrimSpace(log.String()), "\n")
	if len(lines) != 3 {
		t.Fatalf("%d lines, want 3:\n%s", len(lines), log.String())
	}
	for i, want := range []string{`msg="fetch failed" producer=p`, "msg=another producer=p", `msg="fetch failed" producer=p omitted=49`} {
		if !strings.HasSuffix(lines[i], want) {
			t.Errorf("line %d should end with %s: %s", i, want, lines[i])
		}
	}
}
