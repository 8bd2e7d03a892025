package scoring

import (
	"maps"
	"slices"
	"sync"
	"time"
)

const (
	// An organization that cannot be calculated is tried again after asideFirst, and twice as long each time, up to
	// asideMost: whatever it is that meets them all, a moment after it is over they are calculated.
	asideFirst = 10 * time.Second
	asideMost  = 5 * time.Minute
	// One of whose outbox somebody holds a row, after asideHeld, and so on up to asideHeldMost: each try has those that are due
	// with it tried alone.
	asideHeld     = 2 * time.Second
	asideHeldMost = 16 * time.Second
)

// aside is what could not be calculated.
type aside struct {
	mu   sync.Mutex
	left map[string]leftAside
}

// leftAside is an organization that could not be calculated.
type leftAside struct {
	until  time.Time
	failed time.Duration // for how long it was left when it failed last; 0: it did not
	held   time.Duration // as failed, when what it needs was held by somebody
}

// leave leaves an organization to who holds what it needs, for a moment.
func (a *aside) leave(id string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	left := a.left[id]
	left.held = min(max(asideHeld, 2*left.held), asideHeldMost)
	left.until = time.Now().Add(left.held)
	a.left[id] = left
}

// fail leaves an organization for the time that it returns.
func (a *aside) fail(id string) time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	left := a.left[id]
	left.failed = min(max(asideFirst, 2*left.failed), asideMost)
	left.until = time.Now().Add(left.failed)
	a.left[id] = left
	return left.failed
}

// skipped returns what is left for now, and forgets what failed long ago.
func (a *aside) skipped() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := time.Now()
	maps.DeleteFunc(a.left, func(_ string, left leftAside) bool { return now.After(left.until.Add(left.forgotten())) })
	var ids []string
	for id, left := range a.left {
		if now.Before(left.until) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// forgotten is how long after its time it counts as new.
func (l leftAside) forgotten() time.Duration {
	if l.failed > 0 {
		return 2 * asideMost
	}
	return 2 * asideHeldMost
}
