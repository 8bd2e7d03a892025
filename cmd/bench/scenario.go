package main

import (
	"context"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// scenario is something that happens to a fleet, and what is promised of it then.
type scenario struct {
	name  string
	shows string
	// busy ones keep the processors busy, and would spoil each other's figures.
	busy bool
	run  func(context.Context, *bench) ([]bound, error)
}

// bench is what a scenario works with.
type bench struct {
	*rig
	// started is to be called when the scenario's processes are ready.
	started func()
}

// waitingAtOnce is how many scenarios run beside the busy one: they mostly wait.
const waitingAtOnce = 3

// outcome is how one run of a scenario went.
type outcome struct {
	scenario string
	bounds   []bound
	err      error // it did not come to its end
	took     time.Duration
}

// round runs the scenarios side by side, once each.
func (r *rig) round(ctx context.Context, scenarios []scenario, progress *progress) []outcome {
	var mu sync.Mutex
	var outcomes []outcome
	play := func(s scenario) {
		if ctx.Err() != nil {
			return
		}
		progress.begin(s.name)
		o := r.play(ctx, s)
		progress.end(ctx, o)
		mu.Lock()
		defer mu.Unlock()
		outcomes = append(outcomes, o)
	}
	var lanes sync.WaitGroup
	lanes.Go(func() { inLane(scenarios, 1, play, func(s scenario) bool { return s.busy }) })
	lanes.Go(func() { inLane(scenarios, waitingAtOnce, play, func(s scenario) bool { return !s.busy }) })
	lanes.Wait()
	return outcomes
}

// inLane plays the scenarios that belong into the lane, so many at once.
func inLane(scenarios []scenario, atOnce int, play func(scenario), belongs func(scenario) bool) {
	var lane errgroup.Group
	lane.SetLimit(atOnce)
	for _, s := range scenarios {
		if belongs(s) {
			lane.Go(func() error { play(s); return nil })
		}
	}
	_ = lane.Wait() // none returns an error
}

// play runs a scenario, once it is quiet.
func (r *rig) play(ctx context.Context, s scenario) outcome {
	r.quiet.Lock()
	release := sync.OnceFunc(r.quiet.Unlock)
	defer release()
	b := &bench{rig: r, started: release}
	if s.busy {
		b.started = func() {}
	}
	begun := time.Now()
	bounds, err := s.run(ctx, b)
	return outcome{scenario: s.name, bounds: bounds, err: err, took: time.Since(begun)}
}

// collect takes the steps of a scenario one after the other, and joins their bounds.
func collect(ctx context.Context, steps ...func(context.Context) ([]bound, error)) (bounds []bound, err error) {
	for _, step := range steps {
		more, err := step(ctx)
		if err != nil {
			return nil, err
		}
		bounds = append(bounds, more...)
	}
	return bounds, nil
}

// held is how many of the bounds held, of how many that promise something.
func (o outcome) held() (held, promised int) {
	for _, b := range o.bounds {
		if b.promise == none {
			continue
		}
		promised++
		if b.ok() {
			held++
		}
	}
	return held, promised
}

// worst are the rows of the report, in the order of the scenarios: of each figure the worst of all rounds, or where
// nothing is promised their range.
func worst(scenarios []scenario, outcomes []outcome) (rows []row) {
	for _, s := range scenarios {
		var bounds []bound
		for _, o := range outcomes {
			if o.scenario != s.name {
				continue
			}
			if o.err != nil {
				bounds = keepWorse(bounds, holds("ran to its end", false))
			}
			for _, b := range o.bounds {
				bounds = keepWorse(bounds, b)
			}
		}
		for _, b := range bounds {
			rows = append(rows, row{scenario: s.name, bound: b})
		}
	}
	return rows
}

func keepWorse(bounds []bound, b bound) []bound {
	at := slices.IndexFunc(bounds, func(other bound) bool { return other.what == b.what })
	switch {
	case at < 0:
		return append(bounds, b)
	case b.promise == none && b.text == "":
		bounds[at] = bounds[at].spanning(b)
	case b.worse(bounds[at]):
		bounds[at] = b
	}
	return bounds
}
