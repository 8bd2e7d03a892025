package main

import (
	"context"
	"time"

	"github.com/claimsync/claimsync/clerk/clerktest"
)

// competitor is a backlog that is drained while another application uses the same key, of which the fleet knows nothing.
type competitor struct {
	organizations int
	taken         int           // what the other application takes, in requests per window
	before        time.Duration // how long it has been doing so when the backlog arises
}

const (
	// learning is how long after an announcement of a block the fleet may not know of it yet: answers are on their way,
	// and calls that had been granted.
	learning = 100 * time.Millisecond

	// slower is how much longer than the rest of the limit allows a drain may take.
	slower = 1.3
)

func (s competitor) run(ctx context.Context, b *bench) ([]bound, error) {
	config := fleetConfig{
		organizations: s.organizations, processes: processes, clerk: clerkOf(production),
		environment: []string{limitVariable(production), shareVariable(1)},
	}
	return b.withFleet(ctx, config, func(f *fleet) ([]bound, error) {
		f.clerk.SetTraffic(clerktest.Traffic{Requests: s.taken, Window: window})
		if err := sleep(ctx, s.before); err != nil {
			return nil, err
		}
		allowed := drainTime(s.organizations, float64(production-s.taken))
		begun := time.Now()
		if err := f.change(ctx, f.keys...); err != nil {
			return nil, err
		}
		drained, err := until(ctx, begun, 2*allowed+time.Minute, f.clean)
		if err != nil {
			return nil, err
		}
		stale, err := f.stale(ctx)
		return append(s.blocked(f),
			within(time.Duration(slower*float64(allowed)), "all clean after", drained),
			zero("organizations out of step in the end", len(stale)),
		), err
	})
}

// blocked is what the fleet did while Clerk had told it to wait.
func (competitor) blocked(f *fleet) []bound {
	_, traffic := f.clerk.Traffic()
	calls := f.calls()
	blocks, inside, knowing := calls.insideBlocks()
	return []bound{
		zero("calls inside a block, later than 100 ms after it was announced", knowing),
		counted("… all calls inside a block", inside),
		counted("… blocks that the fleet met", blocks),
		counted("blocks that the other application ran into first", int(traffic.Blocks)),
		counted("answers 429", len(calls.tooMany())),
	}
}

// insideBlocks counts the blocks that were met, the calls that began inside of one, and those of them that came when the
// fleet had to know of it. A block is announced by the first answer that tells its end.
func (c calls) insideBlocks() (blocks, inside, knowing int) {
	announced := map[time.Time]time.Time{}
	for _, r := range c.tooMany() {
		at, known := announced[r.BlockedUntil]
		if !known || r.Finished.Before(at) {
			announced[r.BlockedUntil] = r.Finished
		}
	}
	for _, r := range c.tooMany() {
		if !r.InBlock {
			continue
		}
		inside++
		if r.Started.After(announced[r.BlockedUntil].Add(learning)) {
			knowing++
		}
	}
	return len(announced), inside, knowing
}
