package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
)

// pollEvery is how often the database is asked whether what is waited for has come.
const pollEvery = 50 * time.Millisecond

// until waits for the condition, no longer than patience, and returns how long it took since begun.
func until(
	ctx context.Context, begun time.Time, patience time.Duration, condition func(context.Context) (bool, error),
) (elapsed, error) {
	ticker := time.NewTicker(pollEvery)
	defer ticker.Stop()
	for {
		done, err := condition(ctx)
		switch took := time.Since(begun); {
		case err != nil:
			return elapsed{}, err
		case done:
			return lasting(took), nil
		case took > patience:
			return elapsed{Duration: patience, beyond: true}, nil
		}
		select {
		case <-ctx.Done():
			return elapsed{}, context.Cause(ctx)
		case <-ticker.C:
		}
	}
}

// clean tells whether every change has been acknowledged, whatever Clerk has.
func (f *fleet) clean(ctx context.Context) (bool, error) {
	dirty, err := f.dirty(ctx)
	return dirty == 0, err
}

func (f *fleet) dirty(ctx context.Context) (int, error) {
	return query[int](ctx, f, `SELECT count(*) FROM outbox WHERE dirty_since IS NOT NULL`)
}

// parked is how many organizations were given up on.
func (f *fleet) parked(ctx context.Context) (int, error) {
	return query[int](ctx, f, `SELECT count(*) FROM outbox WHERE parked_at IS NOT NULL`)
}

// claims are what Clerk is to have of an organization, and what it has.
type claims struct {
	Tier      *string `json:"certification_tier"`
	Score     *int    `json:"compliance_score"`
	Insurance *bool   `json:"insurance_valid"`
}

func (c claims) equal(other claims) bool {
	return same(c.Tier, other.Tier) && same(c.Score, other.Score) && same(c.Insurance, other.Insurance)
}

func same[T comparable](a, b *T) bool { return a == b || a != nil && b != nil && *a == *b }

// stale are the organizations of which Clerk has something else than the database. It is not asked through the API,
// but looked into.
func (f *fleet) stale(ctx context.Context) (stale []string, err error) {
	rows, _ := f.pool.Query(ctx, `SELECT clerk_org_id, certification_tier::text, compliance_score, insurance_valid
		FROM organizations WHERE clerk_org_id IS NOT NULL`) // its error is in rows
	var key string
	var want claims
	_, err = pgx.ForEachRow(rows, []any{&key, &want.Tier, &want.Score, &want.Insurance}, func() error {
		if !f.clerkHas(key, want) {
			stale = append(stale, key)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("comparing Clerk with the database: %w", err)
	}
	return stale, nil
}

func (f *fleet) clerkHas(key string, want claims) bool {
	organization, ok := f.clerk.Organization(key)
	var has claims
	return ok && json.Unmarshal(organization.PublicMetadata, &has) == nil && has.equal(want)
}

// inStep tells whether Clerk has what the database has, of every organization but those.
func (f *fleet) inStep(except ...string) func(context.Context) (bool, error) {
	return func(ctx context.Context) (bool, error) {
		stale, err := f.stale(ctx)
		return !slices.ContainsFunc(stale, func(key string) bool { return !slices.Contains(except, key) }), err
	}
}

// inStepAndClean tells whether Clerk has everything, and the outbox knows.
func (f *fleet) inStepAndClean(ctx context.Context) (bool, error) {
	clean, err := f.clean(ctx)
	if err != nil || !clean {
		return false, err
	}
	return f.inStep()(ctx)
}
