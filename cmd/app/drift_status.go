package main

import (
	"github.com/claimsync/claimsync"
	"github.com/claimsync/claimsync/scoring"
)

// lastDriftJSON is what is known of drift, for programs. What is null does not apply.
type lastDriftJSON struct {
	FinishedAt *scoring.Timestamp          `json:"finished_at"` // of the newest check that was completed
	Drifted    int                         `json:"drifted"`
	Kinds      map[claimsync.DriftKind]int `json:"kinds"`
	Contested  int                         `json:"contested"`
	Repaired   int                         `json:"repaired"`
	Pending    int                         `json:"pending"`
	FailedAt   *scoring.Timestamp          `json:"failed_at"` // of a periodic check since
	Failure    *string                     `json:"failure"`
}

// lastDriftJSONOf returns nil if nothing is known.
func lastDriftJSONOf(last claimsync.LastDriftCheck) *lastDriftJSON {
	if last.Report == nil && last.Failure == nil {
		return nil
	}
	j := &lastDriftJSON{FailedAt: timestamp(last.FailedAt), Failure: last.Failure}
	if r := last.Report; r != nil {
		j.FinishedAt = timestamp(&r.FinishedAt)
		j.Drifted, j.Kinds, j.Contested, j.Repaired, j.Pending = r.Drifted, r.Kinds, r.Contested, r.Repaired, r.Pending
	}
	return j
}
