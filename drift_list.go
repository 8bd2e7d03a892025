package claimsync

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/claimsync/claimsync/clerk"
	"github.com/claimsync/claimsync/outbox"
)

const (
	// driftTries is how often a list is asked for until the check gives up; the pause between two is first driftPause and
	// then twice as long each.
	driftTries = 5
	driftPause = 500 * time.Millisecond
)

// listing is a page of Clerk's.
type listing struct {
	organizations []clerk.Organization
	total         int64
	askedAt       time.Time // by the database's clock, before the request was sent: what was pushed by then is in it
}

// list asks Clerk when there is a call to spare.
func (c *driftCheck) list(ctx context.Context, params clerk.ListParams) (page listing, err error) {
	for try := 1; ; try++ {
		if err := c.sync.awaitTurn(ctx, outbox.PriorityBackfill); err != nil {
			return listing{}, err
		}
		if page.askedAt, err = c.now(ctx); err != nil {
			return listing{}, err
		}
		c.report.ListCalls++
		page.organizations, page.total, _, err = c.sync.clerk.List(ctx, params)
		if err == nil {
			return page, nil
		}
		if err := c.sync.listFailed(ctx, err, try); err != nil {
			return listing{}, err
		}
	}
}

// listFailed returns nil when the list is to be asked for again.
func (s *Sync) listFailed(ctx context.Context, err error, try int) error {
	var failed *clerk.Error
	switch {
	case ctx.Err() != nil, !errors.As(err, &failed), failed.Action == clerk.Park:
		return err
	case failed.Action == clerk.Stop:
		return fmt.Errorf("refused whatever is asked for, check CLERK_SECRET_KEY: %w", err)
	case failed.Action == clerk.Missing:
		return fmt.Errorf("there is no list of organizations, check CLERK_API_URL: %w", err)
	}
	if err := s.holdBack(ctx, failed); err != nil {
		return err
	}
	if try == driftTries {
		return fmt.Errorf("given up after %d tries: %w", try, err)
	}
	if failed.RetryAfter > 0 {
		return nil // the budget knows how long to wait
	}
	return pause(ctx, driftPause<<(try-1))
}
