package jobs

import (
	"container/heap"
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/claimsync/claimsync/outbox"
)

const (
	// reserveTimeout bounds one request for a slot.
	reserveTimeout = 3 * time.Second
	// askAgain is until the budget is asked again that cannot tell how long it will be: the breaker is open.
	askAgain = time.Second
	// askSpread keeps processes that wait for the same instant from asking as one. What is spare meanwhile is not lost: the
	// budget lets that much be made up for.
	askSpread = 60 * time.Millisecond
	// turnKept is for how long a turn can be passed on to another job: later, it would come too close to the next.
	turnKept = 100 * time.Millisecond
)

// pacer lets a process's jobs call a destination in turn, the most urgent and oldest first, at the pace of the fleet's
// budget. The process never has more than one slot of the budget ahead: so what is urgent waits for one slot at most, a
// process that dies takes no more than that along, and no process that has little to do keeps anything from the others.
type pacer struct {
	reserve func(context.Context, outbox.Priority) (outbox.Reservation, error)

	mu      sync.Mutex
	waiting waiters
	running bool          // whether some goroutine is in run
	changed chan struct{} // wakes run when waiting changes
	kept    time.Time     // until when there is a turn that nobody used
}

func newPacer(reserve func(context.Context, outbox.Priority) (outbox.Reservation, error)) *pacer {
	return &pacer{reserve: reserve, changed: make(chan struct{}, 1)}
}

// turn returns nil when it is the job's turn, at once or when ctx ends, with its error. A turn that turns out not to be
// needed is to be given back.
func (p *pacer) turn(ctx context.Context, job *deliveryJob) error {
	w := &waiter{priority: outbox.Priority(job.Priority), scheduled: job.ScheduledAt, id: job.ID, called: make(chan error, 1)}
	p.enter(w)
	select {
	case err := <-w.called:
		return err
	case <-ctx.Done():
	}
	if p.leave(w) {
		return ctx.Err()
	}
	return <-w.called // called at the same moment
}

// giveBack lets another job have the turn.
func (p *pacer) giveBack() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.kept = time.Now().Add(turnKept)
	p.notify()
}

func (p *pacer) enter(w *waiter) {
	p.mu.Lock()
	defer p.mu.Unlock()
	heap.Push(&p.waiting, w)
	if !p.running {
		p.running = true
		go p.run()
	}
	p.notify()
}

// leave returns false if the waiter has been called.
func (p *pacer) leave(w *waiter) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if w.index < 0 {
		return false
	}
	heap.Remove(&p.waiting, w.index)
	p.notify()
	return true
}

// notify is called with the lock held.
func (p *pacer) notify() {
	select {
	case p.changed <- struct{}{}:
	default:
	}
}

// run calls waiters until there are none.
func (p *pacer) run() {
	for {
		priority, ok := p.next()
		if !ok {
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), reserveTimeout)
		reservation, err := p.reserve(ctx, priority)
		cancel()
		asked := time.Now()
		switch {
		case err != nil:
			p.callAll(err)
		case reservation.Granted:
			p.await(asked.Add(reservation.Wait))
			p.call()
		case reservation.Wait == 0:
			p.awaitChange(asked.Add(askAgain), priority)
		default:
			p.awaitChange(asked.Add(reservation.Wait+rand.N(askSpread)), priority)
		}
	}
}

// next returns how urgent the most urgent waiter is; false, and run is to end, if there is none. A turn that was given
// back is passed on first.
func (p *pacer) next() (outbox.Priority, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.waiting) > 0 && time.Now().Before(p.kept) {
		p.kept = time.Time{}
		heap.Pop(&p.waiting).(*waiter).called <- nil
	}
	if len(p.waiting) == 0 {
		p.running = false
		return 0, false
	}
	return p.waiting[0].priority, true
}

// call gives the turn to whoever is the most urgent by now. If all have left, it is kept.
func (p *pacer) call() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.waiting) == 0 {
		p.kept = time.Now().Add(turnKept)
		return
	}
	heap.Pop(&p.waiting).(*waiter).called <- nil
}

func (p *pacer) callAll(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.waiting) > 0 {
		heap.Pop(&p.waiting).(*waiter).called <- err
	}
}

// await waits for a slot, which is as far ahead as other processes have reserved one each. It goes on when all have left:
// there may be others by then.
func (p *pacer) await(slot time.Time) { time.Sleep(time.Until(slot)) }

// awaitChange waits until it makes sense to ask again: then, or when there is somebody more urgent, a turn to pass on, or
// nobody left.
func (p *pacer) awaitChange(then time.Time, priority outbox.Priority) {
	timer := time.NewTimer(time.Until(then))
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
			return
		case <-p.changed:
		}
		p.mu.Lock()
		over := len(p.waiting) == 0 || p.waiting[0].priority < priority || time.Now().Before(p.kept)
		p.mu.Unlock()
		if over {
			return
		}
	}
}

// waiter is a job that waits for its turn.
type waiter struct {
	priority  outbox.Priority
	scheduled time.Time
	id        int64
	called    chan error // has room for one
	index     int        // in the heap; -1: called or gone
}

// waiters is a heap, in River's order of jobs.
type waiters []*waiter

func (w waiters) Len() int { return len(w) }

func (w waiters) Less(i, j int) bool {
	a, b := w[i], w[j]
	switch {
	case a.priority != b.priority:
		return a.priority < b.priority
	case !a.scheduled.Equal(b.scheduled):
		return a.scheduled.Before(b.scheduled)
	default:
		return a.id < b.id
	}
}

func (w waiters) Swap(i, j int) {
	w[i], w[j] = w[j], w[i]
	w[i].index, w[j].index = i, j
}

func (w *waiters) Push(x any) {
	added := x.(*waiter)
	added.index = len(*w)
	*w = append(*w, added)
}

func (w *waiters) Pop() any {
	last := len(*w) - 1
	popped := (*w)[last]
	popped.index = -1
	*w = (*w)[:last]
	return popped
}
