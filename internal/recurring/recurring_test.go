package recurring_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/claimsync/claimsync/internal/logtest"
	"github.com/claimsync/claimsync/internal/recurring"
)

// It goes on through failures, says the first of those in a row and that they are over, and ends with its context.
func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		var log logtest.Journal
		var at []time.Time
		recurring.Run(ctx, slog.New(slog.NewTextHandler(&log, nil)), "Counting", 8*time.Second, func(context.Context) error {
			at = append(at, time.Now())
			switch len(at) {
			case 2, 4, 6:
				return errors.New("lost")
			case 3: // another process's turn
				return recurring.ErrSkipped
			case 8:
				cancel()
				return errors.New("interrupted")
			}
			return nil
		})
		if len(at) != 8 {
			t.Fatalf("done %d times, want 8", len(at))
		}
		for i := range at[1:] {
			if pause := at[i+1].Sub(at[i]); pause < 7*time.Second || pause > 10*time.Second {
				t.Errorf("a pause of %s, want about 8 s", pause)
			}
		}
		fails := strings.Count(log.String(), `level=ERROR msg="Counting fails" err=lost`)
		recovers := strings.Count(log.String(), `level=INFO msg="Counting works again"`)
		if fails != 2 || recovers != 2 || strings.Contains(log.String(), "interrupted") {
			t.Errorf("logged:\n%s", log.String())
		}
	})
}
