package main

import (
	"context"
	"fmt"
	"time"
)

// recalculation is all scores calculated anew, by a command: in a time that grows with the organizations and in memory
// that does not.
type recalculation struct {
	organizations int           // a tenth of them first
	most          time.Duration // that it may take
}

// memorySlack is how much more memory ten times as many organizations may take, in percent: the heap's size is not the
// same from run to run.
const memorySlack = 25

func (s recalculation) run(ctx context.Context, b *bench) ([]bound, error) {
	return b.withFleet(ctx, fleetConfig{clerk: clerkOf(production)}, func(f *fleet) ([]bound, error) {
		if err := f.populate(ctx, s.organizations/10, true); err != nil {
			return nil, err
		}
		few, err := s.recalculate(ctx, f, s.organizations/10)
		if err != nil {
			return nil, err
		}
		if err := f.grow(ctx, s.organizations/10/templates, s.organizations/templates); err != nil {
			return nil, err
		}
		same, err := s.recalculate(ctx, f, s.organizations)
		if err != nil {
			return nil, err
		}
		if err := f.exec(ctx, `UPDATE organizations SET compliance_score = (compliance_score + 1) % 101`); err != nil {
			return nil, err
		}
		if err := f.exec(ctx, `VACUUM ANALYZE organizations`); err != nil {
			return nil, err
		}
		all, err := s.recalculate(ctx, f, s.organizations)
		if err != nil {
			return nil, err
		}
		facts, err := query[int](ctx, f, `SELECT sum(n_live_tup)::int FROM pg_stat_user_tables
			WHERE relname IN ('documents', 'compliance_assessments', 'insurance_policies', 'organization_members', 'audits', 'capa_records')`)
		return []bound{
			within(s.most, "all recalculated, no score changes", lasting(same.took)),
			within(s.most, "… all scores change", lasting(all.took)),
			{what: "… organizations per second", seen: float64(s.organizations) / all.took.Seconds()},
			{
				what: "memory at most, all scores change", seen: all.memory, unit: megabytes,
				promise: atMost, limit: few.memory * (100 + memorySlack) / 100,
			},
			{what: "… with a tenth of the organizations", seen: few.memory, unit: megabytes},
			counted("organizations", s.organizations),
			counted("facts", facts),
		}, err
	})
}

// recalculate runs the command, with no process that serves beside it.
func (s recalculation) recalculate(ctx context.Context, f *fleet, organizations int) (usage, error) {
	printed, used, err := f.measure(ctx, "recalculate", "--all", "--json")
	if err != nil {
		return used, err
	}
	var calculated, changed int
	if _, err := fmt.Sscanf(printed, `{"calculated":%d,"changed":%d`, &calculated, &changed); err != nil || calculated != organizations {
		return used, fmt.Errorf("app recalculate printed %s, want %d calculated", printed, organizations)
	}
	return used, nil
}
