package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"time"
)

// watchFlags are of the commands that look.
type watchFlags struct {
	Watch bool          `help:"Look again and again, until Ctrl-C."`
	Every time.Duration `default:"2s" placeholder:"DURATION" help:"With --watch: how often."`
}

// shortestWatch keeps a mistaken unit from asking the database all the time.
const shortestWatch = 100 * time.Millisecond

// look has print print once, or with --watch again and again. A database that does not answer then ends nothing: to see
// when it is back is what one watches for.
func (f *watchFlags) look(ctx context.Context, a *app, print func(io.Writer) error) error {
	switch {
	case f.Every < shortestWatch:
		return usage("--every must be at least %s, got %s", shortestWatch, f.Every)
	case !f.Watch:
		return print(a.stdout)
	}
	for {
		var page bytes.Buffer
		if isTerminal(a.stdout) {
			page.WriteString("\x1b[H\x1b[2J") // home, and clear
		}
		if err := print(&page); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			page.WriteString("app: " + wrapped(err.Error()) + "\n")
		}
		if _, err := fmt.Fprintf(a.stdout, "%s", page.Bytes()); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(f.Every):
		}
	}
}
