package main

import (
	"github.com/claimsync/claimsync"
	"github.com/claimsync/claimsync/scoring"
)

// statusObject is where everything stands, for programs.
type statusObject struct {
	Health  claimsync.Health `json:"health"` // good, poor or bad
	Verdict string           `json:"verdict"`

	Organizations         int64            `json:"organizations"`
	Clean                 int64            `json:"clean"`
	Dirty                 int64            `json:"dirty"`
	Parked                int64            `json:"parked"`
	ParkedReasons         map[string]int64 `json:"parked_reasons"`
	Unlinked              int64            `json:"unlinked"`
	OldestDirtyAgeSeconds float64          `json:"oldest_dirty_age_seconds"`
	ObjectiveSeconds      float64          `json:"objective_seconds"`

	PushesPerSecond   float64  `json:"pushes_per_second"` // in the last minute
	FailuresPerSecond float64  `json:"failures_per_second"`
	BudgetPerSecond   *float64 `json:"budget_per_second"` // null: unlimited, or no process is alive
	gateJSON

	Processes []processJSON  `json:"processes"`
	Drift     *lastDriftJSON `json:"drift"` // null: no check has ended yet
}

type processJSON struct {
	Hostname  string            `json:"hostname"`
	PID       int               `json:"pid"`
	Version   string            `json:"version"`
	StartedAt scoring.Timestamp `json:"started_at"`
	SeenAt    scoring.Timestamp `json:"seen_at"`
	Alive     bool              `json:"alive"`
}

// statusJSON is of an overview that is counted exactly.
func statusJSON(o *claimsync.Overview) statusObject {
	j := statusObject{
		Organizations: o.Counts.Organizations.N, Clean: o.Counts.InStep.N, Dirty: o.Counts.Dirty.N, Parked: o.Counts.Parked.N,
		Unlinked:              o.Counts.Unlinked.N,
		ParkedReasons:         make(map[string]int64, len(o.Parked)),
		OldestDirtyAgeSeconds: o.OldestDirtyAge.Seconds(), ObjectiveSeconds: claimsync.Objective.Seconds(),
		PushesPerSecond: o.Budget.Used, FailuresPerSecond: o.Budget.Failed,
		gateJSON: gateJSONOf(o.Gate), Processes: make([]processJSON, len(o.Fleet)), Drift: lastDriftJSONOf(o.Drift),
	}
	j.Health, j.Verdict = o.Verdict()
	for _, parked := range o.Parked {
		j.ParkedReasons[parked.Reason] = parked.Organizations.N
	}
	if o.Budget.Known && o.Budget.PerSecond > 0 {
		j.BudgetPerSecond = &o.Budget.PerSecond
	}
	for i, p := range o.Fleet {
		j.Processes[i] = processJSON{
			p.Hostname, p.PID, p.Version, scoring.Timestamp(p.StartedAt), scoring.Timestamp(p.SeenAt), p.Alive,
		}
	}
	return j
}
