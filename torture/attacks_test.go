package torture

import (
	"context"
	"fmt"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/claimsync/claimsync/clerk/clerktest"
)

// attacks are what may happen in a round. Each returns details for the history.
var attacks = []struct {
	name   string
	weight int
	make   func(c *chaos) string
}{
	{"kill -9", 40, (*chaos).kill},
	{"SIGSTOP", 8, (*chaos).stopForAWhile},
	{"SIGTERM", 8, (*chaos).terminate},
	{"weather at Clerk", 16, (*chaos).weather},
	{"connections terminated", 6, (*chaos).terminateBackends},
	{"a backend of Postgres killed", 2, (*chaos).crashPostgres},
	{"connections severed", 5, (*chaos).sever},
	{"partition from Postgres", 5, (*chaos).partition},
	{"commits lost", 5, (*chaos).loseCommits},
	{"notifications lost", 3, (*chaos).loseNotifications},
	{"rows locked", 4, (*chaos).lockRows},
	{"River's jobs tampered with", 10, (*chaos).tamper},
	{"River's leader deposed", 3, (*chaos).depose},
}

func (c *chaos) anySeat() *seat { return c.seats[c.random.IntN(len(c.seats))] }

// between is a random duration.
func (c *chaos) between(least, most time.Duration) time.Duration {
	return least + time.Duration(c.random.Int64N(int64(most-least)))
}

func (c *chaos) kill() string {
	s := c.anySeat()
	s.process.Kill()
	return fmt.Sprintf(" of process %d", s.number)
}

// stopForAWhile is shorter or longer than a lease.
func (c *chaos) stopForAWhile() string {
	s, lasting := c.anySeat(), c.between(100*time.Millisecond, 12*time.Second)
	process := s.process
	process.Signal(syscall.SIGSTOP)
	c.later(lasting, func() { process.Signal(syscall.SIGCONT) })
	return fmt.Sprintf(" of process %d for %s", s.number, lasting)
}

func (c *chaos) terminate() string {
	s := c.anySeat()
	s.process.Signal(syscall.SIGTERM)
	return fmt.Sprintf(" to process %d", s.number)
}

// weather changes how Clerk behaves until it changes again. Not among it are answers that are final for a key or
// postpone it by more than seconds: a run could not wait for the end.
func (c *chaos) weather() string {
	busy := clerktest.Fault{Effect: clerktest.Answer, Status: 429, RetryAfter: time.Second, Count: 1}
	often := func(f clerktest.Fault) clerktest.Fault {
		f.Probability = 0.3
		return f
	}
	kinds := []clerktest.Fault{
		busy,
		often(clerktest.Fault{Effect: clerktest.Answer, Status: 409}),
		often(clerktest.Fault{Effect: clerktest.Answer, Status: 500}),
		often(clerktest.Fault{Effect: clerktest.Answer, Status: 502}),
		{Effect: clerktest.Answer, Status: 503},
		often(clerktest.Fault{Effect: clerktest.EmptyOK}),
		often(clerktest.Fault{Effect: clerktest.ErrorsOK}),
		often(clerktest.Fault{Effect: clerktest.ResetBefore}),
		often(clerktest.Fault{Effect: clerktest.ResetAfter}),
		often(clerktest.Fault{Effect: clerktest.Truncate}),
		often(clerktest.Fault{Effect: clerktest.Hang}),
		often(clerktest.Fault{Effect: clerktest.Late, Delay: c.between(0, 8*time.Second)}),
		{Latency: c.between(100*time.Millisecond, 2*time.Second)},
	}
	if c.random.IntN(3) == 0 {
		c.fairWeather()
		return ": fair"
	}
	fault := kinds[c.random.IntN(len(kinds))]
	c.clerk.SetFaults(fault, usual)
	return fmt.Sprintf(": %s %d, latency %s", fault.Effect, fault.Status, fault.Latency)
}

func (c *chaos) fairWeather() { c.clerk.SetFaults(usual) }

func (c *chaos) terminateBackends() string {
	return c.try(`SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
		WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend' AND random() < 0.5`)
}

// crashPostgres kills a backend, whereupon the postmaster ends all others, recovers from the log and goes on.
func (c *chaos) crashPostgres() string {
	var victim int
	err := c.pool.QueryRow(c.t.Context(), `SELECT pid FROM pg_stat_activity WHERE datname = current_database()
		AND backend_type = 'client backend' AND pid <> pg_backend_pid() LIMIT 1`).Scan(&victim)
	if err != nil {
		return fmt.Sprintf(": not done: %v", err)
	}
	if err := syscall.Kill(victim, syscall.SIGKILL); err != nil {
		return fmt.Sprintf(": not done: %v", err)
	}
	return ""
}

func (c *chaos) sever() string {
	s := c.anySeat()
	s.proxy.Sever()
	return fmt.Sprintf(" of process %d", s.number)
}

func (c *chaos) partition() string {
	s, lasting := c.anySeat(), c.between(100*time.Millisecond, 10*time.Second)
	s.proxy.Stall()
	c.later(lasting, s.proxy.Unstall)
	return fmt.Sprintf(" of process %d for %s", s.number, lasting)
}

func (c *chaos) loseCommits() string {
	s, lasting := c.anySeat(), c.between(time.Second, 4*time.Second)
	losses := s.proxy.LoseCommits(0.3, c.random.Uint64())
	c.later(lasting, losses.Stop)
	return fmt.Sprintf(" of process %d for %s", s.number, lasting)
}

func (c *chaos) loseNotifications() string {
	s, lasting := c.anySeat(), c.between(time.Second, 6*time.Second)
	s.proxy.DropNotifications(true)
	c.later(lasting, func() { s.proxy.DropNotifications(false) })
	return fmt.Sprintf(" of process %d for %s", s.number, lasting)
}

// lockRows holds the rows of some organizations in a transaction that does nothing.
func (c *chaos) lockRows() string {
	ctx := context.WithoutCancel(c.t.Context())
	conn, err := pgx.Connect(ctx, c.url)
	if err != nil {
		return fmt.Sprintf(": not done: %v", err)
	}
	_, err = conn.Exec(ctx, `BEGIN; SET LOCAL lock_timeout = '100ms';
		SELECT FROM outbox WHERE key IN (SELECT key FROM outbox ORDER BY random() LIMIT 3) ORDER BY key FOR UPDATE`)
	if err != nil {
		_ = conn.Close(ctx)
		return fmt.Sprintf(": not done: %v", err)
	}
	lasting := c.between(500*time.Millisecond, 6*time.Second)
	c.later(lasting, func() { _ = conn.Close(ctx) })
	return fmt.Sprintf(" for %s", lasting)
}

// tamper does to River's jobs what somebody could in River UI or by SQL.
func (c *chaos) tamper() string {
	statements := []string{
		`DELETE FROM river.river_job WHERE random() < 0.3`,
		`UPDATE river.river_job SET state = 'cancelled', finalized_at = now() WHERE finalized_at IS NULL AND random() < 0.3`,
		`UPDATE river.river_job SET state = 'discarded', finalized_at = now() WHERE finalized_at IS NULL AND random() < 0.3`,
		`UPDATE river.river_job SET state = 'available', finalized_at = NULL, scheduled_at = now(), max_attempts = max_attempts + 1
			WHERE state <> 'running' AND random() < 0.3`,
		`UPDATE river.river_job SET state = 'scheduled', scheduled_at = now() + interval '1 day'
			WHERE finalized_at IS NULL AND random() < 0.3`,
	}
	sql := statements[c.random.IntN(len(statements))]
	return ": " + sql + c.try(sql)
}

func (c *chaos) depose() string { return c.try(`DELETE FROM river.river_leader`) }

// try executes a statement that may fail, since other attacks are under way.
func (c *chaos) try(sql string) string {
	ctx, cancel := context.WithTimeout(c.t.Context(), time.Second)
	defer cancel()
	tag, err := c.pool.Exec(ctx, sql)
	if err != nil {
		return fmt.Sprintf(": not done: %v", err)
	}
	return fmt.Sprintf(" (%s)", tag)
}
