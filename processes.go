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
)

// Process is one that delivers: one that is in Sync.Run, or was until it died.
type Process struct {
	Hostname  string
	PID       int
	Version   string
	StartedAt time.Time // by the database's clock
	SeenAt    time.Time
	Alive     bool // it was seen within the last seconds
}

// Processes returns the processes of the fleet, the oldest first. One that ended in order is not there any more; one that
// died, or stands still, is there until it is forgotten after a day.
func (s *Sync) Processes(ctx context.Context) ([]Process, error) {
	rows, err := dbsqlc.New().ProcessList(ctx, s.jobs.Pool)
	if err != nil {
		return nil, fmt.Errorf("listing the processes: %w", err)
	}
	processes := make([]Process, len(rows))
	for i, row := range rows {
		processes[i] = Process{
			Hostname: row.Hostname, PID: int(row.Pid), Version: row.Version,
			StartedAt: row.StartedAt, SeenAt: row.SeenAt, Alive: row.Unseen < processAlive,
		}
	}
	return processes, nil
}

// reportProcess says that this process is alive, and counts what is delivered, until ctx is done.
func (s *Sync) reportProcess(ctx context.Context) {
	id := uuid.New()
	hostname, _ := os.Hostname() // none is no reason not to be seen
	self := dbsqlc.ProcessSeenParams{ID: id, Hostname: hostname, Pid: int32(os.Getpid()), Version: s.version}
	recurring.Run(ctx, s.logger, "Reporting this process", processSeen, func(ctx context.Context) error {
		if err := dbsqlc.New().ProcessSeen(ctx, s.jobs.Pool, self); err != nil {
			return fmt.Errorf("reporting this process: %w", err)
		}
		return s.outbox.CountActivity(ctx, s.jobs.Pool, Topic)
	})
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), processGoneTimeout)
	defer cancel()
	if err := dbsqlc.New().ProcessGone(ctx, s.jobs.Pool, id); err != nil {
		s.logger.WarnContext(ctx, "Could not say that this process ends", "err", err)
	}
}

// processGoneTimeout bounds what the end of a process waits for.
const processGoneTimeout = 2 * time.Second
