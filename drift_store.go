package claimsync

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/claimsync/claimsync/db/dbsqlc"
)

// LastDriftCheck is what is known of drift.
type LastDriftCheck struct {
	// Report is that of the newest check that was completed, whoever made it; nil: there was none yet.
	Report *DriftReport
	// Failure is why the last periodic check failed, and FailedAt when; nil: it did not, or another was completed since.
	Failure  *string
	FailedAt *time.Time
	// RequestedAt is when a person asked for a check that has not ended yet; nil: nobody did.
	RequestedAt *time.Time
	// UnderWay is whether a periodic check, or one that was asked for, is being made.
	UnderWay bool
}

// LastDriftCheck returns what is known of drift.
func (s *Sync) LastDriftCheck(ctx context.Context) (last LastDriftCheck, err error) {
	row, err := dbsqlc.New().DriftReportGet(ctx, s.jobs.Pool, Topic)
	if errors.Is(err, pgx.ErrNoRows) {
		return LastDriftCheck{}, nil
	}
	if err == nil && row.Report != nil {
		err = json.Unmarshal(row.Report, &last.Report)
	}
	if err != nil {
		return LastDriftCheck{}, fmt.Errorf("reading the last drift report: %w", err)
	}
	last.RequestedAt, last.UnderWay = row.RequestedAt, row.UnderWay
	if row.Failure != nil && (row.ReportedAt == nil || row.ReportedAt.Before(*row.EndedAt)) {
		last.Failure, last.FailedAt = row.Failure, row.EndedAt
	}
	return last, nil
}

// keepReport keeps the report, unless there is a newer one.
func (s *Sync) keepReport(ctx context.Context, report *DriftReport) error {
	text, err := json.Marshal(report.kept())
	if err == nil {
		err = dbsqlc.New().DriftReportSave(ctx, s.jobs.Pool, dbsqlc.DriftReportSaveParams{
			Topic: Topic, Report: text, ReportedAt: report.FinishedAt,
		})
	}
	if err != nil {
		return fmt.Errorf("keeping the drift report: %w", err)
	}
	return nil
}
