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
	Parked   []ParkedGroup
	Activity []outbox.Activity // of the last hour
	Budget   BudgetUse
	Drift    LastDriftCheck

	Fleet     []Process // see Processes
	FleetMore int64     // processes that died, beside those

	OldestDirtyAge time.Duration // 0: nothing is dirty
	// Backfilling is whether the oldest change is one of a backfill, which takes as long as the budget says.
	Backfilling bool
}

// Counts are organizations by where they stand.
type Counts struct {
	Organizations, InStep, Dirty, Parked, Unlinked Count
}

// Count is one that is cheap to have.
type Count struct {
	N int64
	// About: it is estimated. OrMore, AtMost: there may be more or fewer, which were not counted.
	About, OrMore, AtMost bool
}

// BudgetUse is how much of what Clerk admits is used.
type BudgetUse struct {
	// PerSecond is how many calls the whole fleet may make, as the process says that is alive and started last; 0: any number.
	// Known is whether there is one.
	PerSecond float64
	Known     bool
	// Used is how many pushes and looks back it made in the last minute, each second, and Failed how many of these failed.
	Used, Failed float64
}

// Overview looks at everything. Its cost does not grow with the number of organizations.
func (s *Sync) Overview(ctx context.Context, river River) (o Overview, err error) {
	if o.Gate, err = s.Gate(ctx, river); err != nil {
		return Overview{}, err
	}
	if err := s.count(ctx, &o); err != nil {
		return Overview{}, err
	}
	if o.Parked, err = s.ParkedGroups(ctx); err != nil {
		return Overview{}, err
	}
	if o.Activity, err = s.outbox.Activity(ctx, s.jobs.Pool, Topic, activityPast); err != nil {
		return Overview{}, err
	}
	if o.Drift, err = s.LastDriftCheck(ctx); err != nil {
		return Overview{}, err
	}
	if o.Fleet, o.FleetMore, err = s.Processes(ctx); err != nil {
		return Overview{}, err
	}
	o.Budget = budgetOf(o.Fleet)
	o.Budget.Used, o.Budget.Failed = perSecond(o.Activity, o.Gate.Now)
	return o, nil
}

// budgetOf goes by the latest process: in a deploy with another limit that is the one to come.
func budgetOf(fleet []Process) (b BudgetUse) {
	for _, process := range fleet {
		if process.Alive {
			b.PerSecond, b.Known = process.CallsPerSecond, true
		}
	}
	return b
}

func (s *Sync) count(ctx context.Context, o *Overview) error {
	queries, pool := dbsqlc.New(), s.jobs.Pool
	backlog, err := s.outbox.Backlog(ctx, pool, Topic, countedAtMost+1)
	if err != nil {
		return err
	}
	unlinked, err := queries.OrganizationUnlinkedCount(ctx, pool, countedAtMost+1)
	if err != nil {
		return fmt.Errorf("counting what is unlinked: %w", err)
	}
	c := Counts{Dirty: counted(backlog.Dirty), Parked: counted(backlog.Parked), Unlinked: counted(unlinked)}
	if c.Organizations, err = s.organizations(ctx); err != nil {
		return err
	}
	c.InStep = Count{
		N:     max(0, c.Organizations.N-c.Dirty.N-c.Parked.N-c.Unlinked.N),
		About: c.Organizations.About, OrMore: c.Organizations.OrMore,
		AtMost: c.Dirty.OrMore || c.Parked.OrMore || c.Unlinked.OrMore,
	}
	o.Counts, o.OldestDirtyAge = c, backlog.OldestDirtyAge
	o.Backfilling = backlog.OldestPriority == outbox.PriorityBackfill
	return nil
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

// perSecond is over the last minute that has been counted in full: deliveries are counted every few seconds.
func perSecond(activity []outbox.Activity, now time.Time) (deliveries, failed float64) {
	to := now.Truncate(outbox.ActivityInterval).Add(-outbox.ActivityInterval)
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
