package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/claimsync/claimsync/db"
)

// watchFlags are of the commands that look.
type watchFlags struct {
	Watch bool          `help:"Look again and again, until Ctrl-C."`
	Every time.Duration `default:"2s" placeholder:"DURATION" help:"With --watch: how often."`
}

const (
	// shortestWatch keeps a mistaken unit from asking the database all the time.
	shortestWatch = 100 * time.Millisecond
	// lookTimeout is how long a look may take: what stands on the screen should not seem to be new.
	lookTimeout = 10 * time.Second
)

// look has print print once, or with --watch again and again, as JSON or for people. A database that does not answer then ends
// nothing: to see when it is back is what one watches for.
func (f *watchFlags) look(ctx context.Context, a *app, asJSON bool, print func(context.Context, io.Writer) error) error {
	switch {
	case f.Every < shortestWatch:
		return usage("--every must be at least %s, got %s", shortestWatch, f.Every)
	case !f.Watch:
		return print(ctx, a.stdout)
	}
	for {
		if err := lookOnce(ctx, a, asJSON, print); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(f.Every):
		}
	}
}

// lookOnce returns what makes looking again useless.
func lookOnce(ctx context.Context, a *app, asJSON bool, print func(context.Context, io.Writer) error) error {
	bounded, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	var page bytes.Buffer
	if isTerminal(a.stdout) && !asJSON {
		page.WriteString("\x1b[H\x1b[2J") // home, and clear
	}
	if !asJSON {
		_, _ = fmt.Fprintf(&page, "At %s\n\n", time.Now().Format(time.DateTime+" MST"))
	}
	err := print(bounded, &page)
	switch {
	case ctx.Err() != nil:
		return nil
	case err != nil && !db.IsUnavailable(err) && !errors.Is(err, context.DeadlineExceeded):
		return err
	case err != nil && asJSON:
		page.Reset()
		_ = json.NewEncoder(&page).Encode(map[string]string{"error": err.Error()})
	case err != nil:
		_, _ = fmt.Fprintf(&page, "%s\n", wrapped(err.Error()))
	}
	_, err = a.stdout.Write(page.Bytes())
	return err
}
