package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/claimsync/claimsync/clerk/clerktest"
	"github.com/claimsync/claimsync/outbox"
)

// poison is one organization among many whose state Clerk refuses for good.
type poison struct {
	organizations int
}

const (
	// parkedWithin is how long after Clerk's answer the organization is parked, and prompt what takes one push.
	parkedWithin = 2 * time.Second
	prompt       = 10 * time.Second
)

func (s poison) run(ctx context.Context, b *bench) ([]bound, error) {
	config := fleetConfig{
		organizations: s.organizations, processes: processes, clerk: clerkOf(production),
		environment: []string{limitVariable(production)},
	}
	return b.withFleet(ctx, config, func(f *fleet) ([]bound, error) {
		at := s.organizations / 2
		p := poisoned{f: f, id: fmt.Sprintf("o%d", at), key: f.keys[at]}
		return collect(ctx, p.othersGetInStep, p.isParked, p.isShown, p.isRedriven, p.isUnparked)
	})
}

// poisoned is the organization that is refused.
type poisoned struct {
	f       *fleet
	id, key string
}

func (p poisoned) othersGetInStep(ctx context.Context) ([]bound, error) {
	p.f.clerk.SetFaults(clerktest.Fault{
		Effect: clerktest.Answer, Status: http.StatusUnprocessableEntity,
		Organization: p.key, Method: http.MethodPatch,
	}, usual)
	begun := time.Now()
	if err := p.f.change(ctx, p.f.keys...); err != nil {
		return nil, err
	}
	allowed := drainTime(len(p.f.keys), outbox.DefaultShare*production) + drainSlack
	took, err := until(ctx, begun, 2*allowed, p.f.inStep(p.key))
	return []bound{within(allowed, "all others in step after", took)}, err
}

// isParked is about when it was parked, which may have been long before the others were in step.
func (p poisoned) isParked(ctx context.Context) ([]bound, error) {
	refused := p.f.calls().of(p.key).lastFinished()
	parked, err := until(ctx, time.Now(), prompt, p.parkedRow)
	if err != nil || parked.beyond {
		return []bound{within(parkedWithin, parkedInTime, parked)}, err
	}
	at, err := query[time.Time](ctx, p.f, `SELECT parked_at FROM outbox WHERE key = $1`, p.key)
	return []bound{within(parkedWithin, parkedInTime, lasting(max(0, at.Sub(refused))))}, err
}

const parkedInTime = "it is parked, with its reason, after Clerk's answer"

// parkedRow tells whether it is parked for what Clerk answered.
func (p poisoned) parkedRow(ctx context.Context) (bool, error) {
	return query[bool](ctx, p.f, `SELECT parked_at IS NOT NULL AND parked_reason LIKE '%422%'
		FROM outbox WHERE key = $1`, p.key)
}

// isShown looks where an operator would.
func (p poisoned) isShown(ctx context.Context) ([]bound, error) {
	status, err := p.f.command(ctx, "status", "--json")
	if err != nil {
		return nil, err
	}
	var counts struct {
		Parked int `json:"parked"`
	}
	if err := json.Unmarshal([]byte(status), &counts); err != nil {
		return nil, fmt.Errorf("app status --json: %w", err)
	}
	why, err := p.f.command(ctx, "why", p.id)
	if err != nil {
		return nil, err
	}
	api, err := p.inAPI(ctx)
	if err != nil {
		return nil, err
	}
	metric, err := p.inMetrics(ctx)
	return []bound{
		holds("app status counts it", counts.Parked == 1),
		holds("app why says that it is parked, and for what", strings.Contains(why, "parked") && strings.Contains(why, "422")),
		holds("the API says so too", api),
		holds("/metrics counts it", metric),
	}, err
}

func (p poisoned) inAPI(ctx context.Context) (bool, error) {
	var organization struct {
		Sync struct {
			State  string `json:"state"`
			Reason string `json:"parked_reason"`
		} `json:"sync"`
	}
	status, _, err := p.f.processes[0].get(ctx, "/v1/organizations/"+p.id, &organization)
	sync := organization.Sync
	return status == http.StatusOK && sync.State == "parked" && strings.Contains(sync.Reason, "422"), err
}

var parkedMetric = regexp.MustCompile(`(?m)^claimsync_outbox_parked_rows(\{[^}]*\})? 1$`)

func (p poisoned) inMetrics(ctx context.Context) (bool, error) {
	_, text, err := p.f.processes[0].get(ctx, "/metrics", nil)
	return parkedMetric.Match(text), err
}

// isRedriven has an operator try again what is still refused.
func (p poisoned) isRedriven(ctx context.Context) ([]bound, error) {
	before := len(p.f.calls().of(p.key))
	if _, err := p.f.command(ctx, "redrive", p.id); err != nil {
		return nil, err
	}
	took, err := until(ctx, time.Now(), prompt, func(ctx context.Context) (bool, error) {
		parked, err := p.parkedRow(ctx)
		return parked && len(p.f.calls().of(p.key)) > before, err
	})
	return []bound{holds("app redrive pushes it again, and it is parked again", !took.beyond)}, err
}

// isUnparked has Clerk accept it, and the organization change.
func (p poisoned) isUnparked(ctx context.Context) ([]bound, error) {
	p.f.clerk.SetFaults(usual)
	if err := p.f.change(ctx, p.key); err != nil {
		return nil, err
	}
	took, err := until(ctx, time.Now(), prompt, p.f.inStepAndClean)
	if err != nil {
		return nil, err
	}
	parked, err := p.f.parked(ctx)
	return []bound{
		holds("once Clerk accepts it, the next change unparks it and is in step", !took.beyond && parked == 0),
	}, err
}
