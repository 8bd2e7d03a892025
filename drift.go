package claimsync

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/claimsync/claimsync/clerk"
	"github.com/claimsync/claimsync/db/dbsqlc"
	"github.com/claimsync/claimsync/outbox"
)

// DriftOptions say how to check for drift. The zero value only looks.
type DriftOptions struct {
	// Repair hands what differs over to be read back and pushed again.
	Repair bool

	// KnownOnly leaves out the organizations at Clerk that are unknown to us.
	KnownOnly bool

	// Progress is told how many of Clerk's organizations have been compared. Defaults to nobody.
	Progress func(done, total int)
}

// ErrOtherInstance is returned by a check that found most organizations missing at Clerk.
var ErrOtherInstance = errors.New("is CLERK_SECRET_KEY that of another instance?")

// CheckDrift pages through Clerk's organizations and compares them with Postgres. It uses what is spare of the budget, and
// waits as long as it takes: live changes go first. An organization that is on its way, parked, or changed while the check
// runs is not called drift: what seemed to differ, and what was not listed, is looked at a second time at the end.
//
// With Repair it marks through the outbox what differs, but for keys that somebody else writes too (contested): then
// some process that delivers pushes it. What is missing at Clerk or unknown to us a person has to settle. waker inserts the
// jobs; without Repair it may be nil. The report is kept: see LastDriftCheck.
func (s *Sync) CheckDrift(ctx context.Context, waker outbox.Waker, options DriftOptions) (*DriftReport, error) {
	if s.clerk == nil {
		return nil, errors.New("checking for drift: there is no Clerk client")
	}
	c := &driftCheck{
		sync: s, waker: waker, options: options,
		listed: map[string]bool{}, report: newDriftReport(options.KnownOnly),
	}
	if err := c.run(ctx); err != nil {
		return nil, fmt.Errorf("checking for drift: %w", err)
	}
	if err := s.keepReport(ctx, c.report); err != nil {
		return nil, err
	}
	return c.report, nil
}

// driftCheck is a check under way.
type driftCheck struct {
	sync    *Sync
	waker   outbox.Waker
	options DriftOptions
	queries dbsqlc.Queries
	report  *DriftReport

	listed  map[string]bool // Clerk's organizations, as far as they were listed
	linked  int             // how many of them are ours
	differ  []string        // those that seem to differ
	unknown []string        // those of which we seem to know nothing
	missing int             // ours that Clerk does not have
}

func (c *driftCheck) run(ctx context.Context) (err error) {
	if c.report.StartedAt, err = c.now(ctx); err != nil {
		return err
	}
	if err := c.comparePages(ctx); err != nil {
		return err
	}
	unlisted, err := c.unlisted(ctx)
	if err != nil {
		return err
	}
	if err := c.confirmUnlisted(ctx, unlisted); err != nil {
		return err
	}
	if err := c.confirm(ctx, c.differ); err != nil {
		return err
	}
	if err := c.confirmUnknown(ctx); err != nil {
		return err
	}
	if err := c.settle(ctx); err != nil {
		return err
	}
	if c.report.FinishedAt, err = c.now(ctx); err != nil {
		return err
	}
	c.report.count()
	c.log(ctx)
	return nil
}

func (c *driftCheck) now(ctx context.Context) (time.Time, error) {
	return c.sync.outbox.Clock(ctx, c.sync.jobs.Pool)
}

// comparePages compares all that Clerk lists, page by page, as each arrives. A page may be short: the total says where the
// end is, and it may move.
func (c *driftCheck) comparePages(ctx context.Context) error {
	for offset := 0; ; {
		page, err := c.list(ctx, clerk.ListParams{Offset: offset})
		if err != nil {
			return err
		}
		if err := c.comparePage(ctx, page); err != nil {
			return err
		}
		offset += len(page.organizations)
		if c.options.Progress != nil {
			c.options.Progress(offset, max(offset, int(page.total)))
		}
		if len(page.organizations) == 0 || int64(offset) >= page.total {
			return nil
		}
	}
}

// log tells of what a person has to settle, and nothing of the values.
func (c *driftCheck) log(ctx context.Context) {
	const examples = 10
	var contested []string
	for _, drift := range c.report.Drifts {
		if drift.Contested && len(contested) < examples {
			contested = append(contested, drift.ClerkOrgID)
		}
	}
	if len(contested) > 0 {
		c.sync.logger.WarnContext(ctx, "Contested: pushed over again and again, as if somebody else wrote the same keys at Clerk: left to a person",
			"organizations", c.report.Contested, "clerk_org_ids", contested)
	}
}
