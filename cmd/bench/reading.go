package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// reading is how much has been used of something, up to a moment.
type reading struct {
	at           time.Time
	transactions float64
	wal          float64 // bytes
	cpu          float64 // seconds of the fleet's processes
}

// read looks at the database and the processes.
func (f *fleet) read(ctx context.Context) (s reading, err error) {
	s.at = time.Now()
	if s.transactions, err = query[float64](ctx, f, `SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = current_database()`); err != nil {
		return s, err
	}
	s.wal, err = query[float64](ctx, f, `SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn`)
	for _, p := range f.processes {
		s.cpu += processorTime(p.PID())
	}
	return s, err
}

// since is what was used between two readings.
func (s reading) since(before reading) reading {
	return reading{transactions: s.transactions - before.transactions, wal: s.wal - before.wal, cpu: s.cpu - before.cpu}
}

// clockTick is the unit of processor times in /proc, the same on every Linux that Go runs on.
const clockTick = 0.01

// processorTime is what a process has had of the processors, in seconds; 0 where that cannot be read.
func processorTime(pid int) float64 {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	// The program's name may have spaces in it; what comes after its bracket begins with field 3.
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	user, _ := strconv.ParseFloat(fields[11], 64)
	system, _ := strconv.ParseFloat(fields[12], 64)
	return (user + system) * clockTick
}

// memory is what a process has resident now, and had at most, in megabytes; 0 where that cannot be read.
func memory(pid int) (now, most float64) {
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	for line := range strings.Lines(string(status)) {
		var kilobytes float64
		if _, err := fmt.Sscanf(line, "VmRSS: %f kB", &kilobytes); err == nil {
			now = kilobytes * 1024 / 1e6
		}
		if _, err := fmt.Sscanf(line, "VmHWM: %f kB", &kilobytes); err == nil {
			most = kilobytes * 1024 / 1e6
		}
	}
	return now, most
}
