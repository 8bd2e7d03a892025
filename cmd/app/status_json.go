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
	BudgetPerSecond   *float64 `json:"budget_per_second"` // null: unlimited
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

func statusJSON(s claimsync.Status, o *claimsync.Overview) statusObject {
	j := statusObject{
		Organizations: s.Organizations, Clean: s.Clean, Dirty: s.Dirty, Parked: s.Parked, Unlinked: s.Unlinked,
		ParkedReasons:         make(map[string]int64, len(s.ParkedReasons)),
		OldestDirtyAgeSeconds: s.OldestDirtyAge.Seconds(), ObjectiveSeconds: claimsync.Objective.Seconds(),
		PushesPerSecond: o.Budget.Used, FailuresPerSecond: o.Budget.Failed,
		gateJSON: gateJSONOf(o.Gate), Processes: make([]processJSON, len(o.Fleet)), Drift: lastDriftJSONOf(o.Drift),
	}
	j.Health, j.Verdict = o.Verdict()
	for _, parked := range s.ParkedReasons {
		j.ParkedReasons[parked.Reason] = parked.Rows
	}
	if o.Budget.PerSecond > 0 {
		j.BudgetPerSecond = &o.Budget.PerSecond
	}
	for i, p := range o.Fleet {
		j.Processes[i] = processJSON{
			p.Hostname, p.PID, p.Version, scoring.Timestamp(p.StartedAt), scoring.Timestamp(p.SeenAt), p.Alive,
		}
	}
	return j
}
