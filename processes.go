package claimsync

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/google/uuid"

	"github.com/claimsync/claimsync/db/dbsqlc"
	"github.com/claimsync/claimsync/internal/recurring"
)

const (
	// processSeen is how often a process says that it is alive.
	processSeen = 5 * time.Second
	// processAlive is how long it is taken to be, after that.
	processAlive = 3 * processSeen
	// processTimeout bounds saying it.
	processTimeout = 5 * time.Second
	// activityTimeout bounds a count of what was delivered.
	activityTimeout = 30 * time.Second
	// processGoneTimeout bounds what the end of a process waits for.
	processGoneTimeout = 2 * time.Second
	// mostDead is how many of those that died a person is shown.
	mostDead = 10
)

// Process is one that delivers: one that is in Sync.Run, or was until it died.
type Process struct {
	Hostname  string
	PID       int
	Version   string
	StartedAt time.Time // by the database's clock
	SeenAt    time.Time
	Alive     bool // it was seen within the last seconds
	// CallsPerSecond is what all processes together may use of Clerk's limit, as this one was told; 0: any number.
	CallsPerSecond float64
}

// Processes returns the processes of the fleet: those that are alive, the eldest first, and of the others the few that were
// seen last. One that ended in order is not there any more; one that died, or stands still, is until it is forgotten after a
// day. more is how many others died.
func (s *Sync) Processes(ctx context.Context) (processes []Process, more int64, err error) {
	queries := dbsqlc.New()
	rows, err := queries.ProcessList(ctx, s.jobs.Pool, dbsqlc.ProcessListParams{Alive: processAlive, MaxDead: mostDead})
	if err == nil {
		more, err = queries.ProcessDeadCount(ctx, s.jobs.Pool, processAlive)
	}
	if err != nil {
		return nil, 0, fmt.Errorf("listing the processes: %w", err)
	}
	processes = make([]Process, len(rows))
	for i, row := range rows {
		processes[i] = Process{
			Hostname: row.Hostname, PID: int(row.Pid), Version: row.Version,
			StartedAt: row.StartedAt, SeenAt: row.SeenAt, Alive: row.Unseen < processAlive,
		}
		if row.CallsPerSecond != nil {
			processes[i].CallsPerSecond = *row.CallsPerSecond
		}
		if !processes[i].Alive {
			more--
		}
	}
	return processes, max(0, more), nil
}

// reportProcess says that the process is alive, until ctx is done.
func (s *Sync) reportProcess(ctx context.Context, id uuid.UUID) {
	hostname, _ := os.Hostname() // none is no reason not to be seen
	self := dbsqlc.ProcessSeenParams{ID: id, Hostname: hostname, Pid: int32(os.Getpid()), Version: s.version}
	if limit := s.outbox.CallsPerSecond(Topic); limit > 0 {
		self.CallsPerSecond = &limit
	}
	recurring.Run(ctx, s.logger, "Reporting this process", processSeen, func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, processTimeout)
		defer cancel()
		return dbsqlc.New().ProcessSeen(ctx, s.jobs.Pool, self)
	})
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), processGoneTimeout)
	defer cancel()
	if err := dbsqlc.New().ProcessGone(ctx, s.jobs.Pool, id); err != nil {
		s.logger.WarnContext(ctx, "Could not say that this process ends", "err", err)
	}
}

// countActivity counts what the fleet delivers while this process is the eldest of those alive, until ctx is done.
func (s *Sync) countActivity(ctx context.Context, id uuid.UUID) {
	recurring.Run(ctx, s.logger, "Counting deliveries", processSeen, func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, activityTimeout)
		defer cancel()
		eldest, err := dbsqlc.New().ProcessIsEldest(ctx, s.jobs.Pool, dbsqlc.ProcessIsEldestParams{ID: id, Alive: processAlive})
		switch {
		case err != nil:
			return err
		case !eldest:
			return recurring.ErrSkipped
		}
		return s.outbox.CountActivity(ctx, s.jobs.Pool, Topic)
	})
}
