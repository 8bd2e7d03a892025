package claimsync

import (
	"context"
	"fmt"
	"time"

	"github.com/claimsync/claimsync/db/dbsqlc"
	"github.com/claimsync/claimsync/outbox"
)

// Objective is how old the oldest change on its way to Clerk should ever be.
const Objective = time.Minute

const (
	// countedAtMost is how far an Overview counts: what comes after says no more to a person.
	countedAtMost = 10_000
	// activityPast is what an Overview has of the past.
	activityPast = time.Hour
)

// Overview is what says at a glance whether there is anything to worry about.
type Overview struct {
	Gate     Gate // when that was, and what stands in the way of all
	Counts   Counts
	Activity []outbox.Activity // of the last hour
	Budget   BudgetUse
	Drift    LastDriftCheck
	Fleet    []Process

	OldestDirtyAge time.Duration // 0: nothing is dirty
}

// Counts are organizations by where they stand.
type Counts struct {
	Organizations, InStep, Dirty, Parked, Unlinked Count
}

// Count is one that is cheap to have.
type Count struct {
	N int64
	// About: it is estimated. OrMore: there may be more, which were not counted.
	About, OrMore bool
}

// BudgetUse is how much of what Clerk admits is used.
type BudgetUse struct {
	// PerSecond is how many calls the whole fleet may make; 0: any number.
	PerSecond float64
	// Used is how many pushes and looks back it made in the last minute, each second, and Failed how many of these failed.
	Used, Failed float64
}

// Overview looks at everything. Its cost does not grow with the number of organizations.
func (s *Sync) Overview(ctx context.Context, river River) (o Overview, err error) {
	if o.Gate, err = s.Gate(ctx, river); err != nil {
		return Overview{}, err
	}
	if o.Counts, o.OldestDirtyAge, err = s.counts(ctx); err != nil {
		return Overview{}, err
	}
	if o.Activity, err = s.outbox.Activity(ctx, s.jobs.Pool, Topic, activityPast); err != nil {
		return Overview{}, err
	}
	o.Budget = BudgetUse{PerSecond: s.outbox.CallsPerSecond(Topic)}
	o.Budget.Used, o.Budget.Failed = perSecond(o.Activity, o.Gate.Now)
	if o.Drift, err = s.LastDriftCheck(ctx); err != nil {
		return Overview{}, err
	}
	if o.Fleet, err = s.Processes(ctx); err != nil {
		return Overview{}, err
	}
	return o, nil
}

func (s *Sync) counts(ctx context.Context) (c Counts, oldest time.Duration, err error) {
	queries, pool := dbsqlc.New(), s.jobs.Pool
	backlog, err := s.outbox.Backlog(ctx, pool, Topic, countedAtMost+1)
	if err != nil {
		return Counts{}, 0, err
	}
	unlinked, err := queries.OrganizationUnlinkedCount(ctx, pool, countedAtMost+1)
	if err != nil {
		return Counts{}, 0, fmt.Errorf("counting what is unlinked: %w", err)
	}
	c = Counts{Dirty: counted(backlog.Dirty), Parked: counted(backlog.Parked), Unlinked: counted(unlinked)}
	if c.Organizations, err = s.organizations(ctx); err != nil {
		return Counts{}, 0, err
	}
	c.InStep = Count{
		N:     max(0, c.Organizations.N-c.Dirty.N-c.Parked.N-c.Unlinked.N),
		About: c.Organizations.About || c.Dirty.OrMore || c.Parked.OrMore || c.Unlinked.OrMore,
	}
	return c, backlog.OldestDirtyAge, nil
}

// organizations counts few, and estimates many.
func (s *Sync) organizations(ctx context.Context) (Count, error) {
	queries, pool := dbsqlc.New(), s.jobs.Pool
	about, err := queries.OrganizationCountAbout(ctx, pool)
	if err == nil && about > countedAtMost {
		return Count{N: about, About: true}, nil
	}
	var n int64
	if err == nil {
		n, err = queries.OrganizationCountAtMost(ctx, pool, 10*countedAtMost) // an ANALYZE may be long ago
	}
	if err != nil {
		return Count{}, fmt.Errorf("counting organizations: %w", err)
	}
	return Count{N: n, OrMore: n == 10*countedAtMost}, nil
}

func counted(n int64) Count {
	return Count{N: min(n, countedAtMost), OrMore: n > countedAtMost}
}

// perSecond is over the last minute that has been counted in full.
func perSecond(activity []outbox.Activity, now time.Time) (deliveries, failed float64) {
	to := now.Truncate(outbox.ActivityInterval)
	from := to.Add(-time.Minute)
	for _, a := range activity {
		if a.BeginsAt.Before(from) || !a.BeginsAt.Before(to) {
			continue
		}
		each := float64(a.Deliveries) / time.Minute.Seconds()
		deliveries += each
		if a.Failed() {
			failed += each
		}
	}
	return deliveries, failed
}
