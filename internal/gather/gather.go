// Package gather lets calls that come while one is under way travel together in the next, as a database's group commit
// does. A call that comes alone does not wait for others; how many travel together follows from how many come meanwhile.
package gather

import (
	"context"
	"runtime"
	"sync"
	"time"
)

// patience is how long calls that travel together may take. What takes longer is in trouble, and each goes alone.
const patience = 2 * time.Second

// Group gathers calls. It is safe for concurrent use.
type Group[A, R any] struct {
	many func(ctx context.Context, args []A) ([]*R, error)
	one  func(ctx context.Context, arg A) (R, error)

	mu      sync.Mutex
	waiting []*call[A, R]
	running bool
}

type call[A, R any] struct {
	ctx    context.Context
	arg    A
	done   chan struct{} // closed when result and err are there
	result *R            // nil: to go alone
	err    error
}

// New returns a Group whose calls are carried out by many, one many at a time, which returns a result for each argument. Of
// those for which it returns nil, and where it took too long, each is carried out by one; an error is that of all.
func New[A, R any](
	many func(ctx context.Context, args []A) ([]*R, error), one func(ctx context.Context, arg A) (R, error),
) *Group[A, R] {
	return &Group[A, R]{many: many, one: one}
}

// Do carries out a call. If ctx ends meanwhile, whether it was carried out is not known.
func (g *Group[A, R]) Do(ctx context.Context, arg A) (result R, err error) {
	c := &call[A, R]{ctx: ctx, arg: arg, done: make(chan struct{})}
	g.join(c)
	select {
	case <-c.done:
	case <-ctx.Done():
		return result, ctx.Err()
	}
	switch {
	case c.err != nil:
		return result, c.err
	case c.result == nil:
		return g.one(ctx, arg)
	}
	return *c.result, nil
}

func (g *Group[A, R]) join(c *call[A, R]) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.waiting = append(g.waiting, c)
	if !g.running {
		g.running = true
		go g.run()
	}
}

// run carries out what waits, until nothing does. It lets those go first that are about to call, which takes no time if there
// are none: of jobs that are fetched together, the first would else go alone.
func (g *Group[A, R]) run() {
	for {
		runtime.Gosched()
		calls := g.next()
		if calls == nil {
			return
		}
		carryOut(g.many, calls)
	}
}

// next takes all calls that wait and that somebody still wants. None: nil, and the next call has to start another run.
func (g *Group[A, R]) next() (calls []*call[A, R]) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, c := range g.waiting {
		if c.ctx.Err() == nil {
			calls = append(calls, c)
		}
	}
	g.waiting = nil
	g.running = calls != nil
	return calls
}

func carryOut[A, R any](many func(context.Context, []A) ([]*R, error), calls []*call[A, R]) {
	args := make([]A, len(calls))
	for i, c := range calls {
		args[i] = c.arg
	}
	// What they have in common is for all of them: it does not end with one. Whatever else is in a context, as a span, is the
	// first one's.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(calls[0].ctx), patience)
	defer cancel()
	results, err := many(ctx, args)
	if err != nil && ctx.Err() != nil {
		results, err = make([]*R, len(calls)), nil
	}
	for i, c := range calls {
		if c.err = err; err == nil {
			c.result = results[i]
		}
		close(c.done)
	}
}
