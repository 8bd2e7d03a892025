package scoring

var (
	issueNoAudit = Issue{CategoryAudit, SeverityInfo, "AUDIT_NONE",
		"No audit has been completed yet."}
	issueConditionalAudit = Issue{CategoryAudit, SeverityWarning, "AUDIT_CONDITIONAL",
		"The last audit was passed with conditions."}
	issueFailedAudit = Issue{CategoryAudit, SeverityCritical, "AUDIT_FAILED",
		"The last audit was failed."}
	issueOverdueAudit = Issue{CategoryAudit, SeverityWarning, "AUDIT_OVERDUE",
		"The last audit is more than a year ago."}
	issueOverdueCAPA = Issue{CategoryAudit, SeverityCritical, "CAPA_OVERDUE",
		"Corrective actions are overdue."}
)

// auditOverdueDays is the first age at which an audit is overdue: more than 365 whole days.
const auditOverdueDays = 366

func scoreAudit(f *Facts, now micros, found []Issue) (AuditScore, micros, []Issue) {
	var details AuditDetails
	details.OpenCAPACount, details.OverdueCAPACount = countCAPAs(f.CAPARecords)
	penalty := 10 * details.OverdueCAPACount

	score, change := 50, never
	if last := latestAudit(f.Audits); last == nil {
		found = append(found, issueNoAudit)
	} else {
		completed := microsOf(*last.CompletedAt)
		details.describe(last, now)
		score, found = scoreRating(last.Rating, found)
		if *details.DaysSinceLastAudit >= auditOverdueDays {
			score -= 20
			found = append(found, issueOverdueAudit)
		} else if score > penalty {
			// Otherwise the score is 0 already, and turning overdue does not change it.
			change = completed + auditOverdueDays*day
		}
	}
	if details.OverdueCAPACount > 0 {
		found = append(found, issueOverdueCAPA)
	}
	return AuditScore{clampScore(score - penalty), auditWeight, details}, change, found
}

// latestAudit returns the audit completed last, or nil. Of two completed at the same instant the worse counts, so that
// the order of the list does not matter.
func latestAudit(audits []Audit) (latest *Audit) {
	for i := range audits {
		audit := &audits[i]
		if audit.CompletedAt == nil {
			continue
		}
		if latest == nil || audit.CompletedAt.After(*latest.CompletedAt) ||
			audit.CompletedAt.Equal(*latest.CompletedAt) && audit.worseThan(latest) {
			latest = audit
		}
	}
	return latest
}

// worseThan compares ratings, which ascend from best to worst; none is better than any.
func (a *Audit) worseThan(other *Audit) bool {
	return a.Rating != nil && (other.Rating == nil || *a.Rating > *other.Rating)
}

func scoreRating(rating *AuditRating, found []Issue) (int, []Issue) {
	if rating == nil {
		return 100, found
	}
	switch *rating {
	case PassWithObservations:
		return 85, found
	case ConditionalPass:
		return 60, append(found, issueConditionalAudit)
	case Fail:
		return 30, append(found, issueFailedAudit)
	default:
		return 100, found
	}
}

// describe copies the figures of the audit, so that the result does not point into the facts.
func (d *AuditDetails) describe(audit *Audit, now micros) {
	figures := &struct {
		date   Timestamp
		rating AuditRating
		days   int
	}{
		date: Timestamp(*audit.CompletedAt),
		days: (now - microsOf(*audit.CompletedAt)).daysDown(),
	}
	d.LastAuditDate, d.DaysSinceLastAudit = &figures.date, &figures.days
	if audit.Rating != nil {
		figures.rating = *audit.Rating
		d.LastAuditRating = &figures.rating
	}
}

func countCAPAs(records []CAPARecord) (open, overdue int) {
	for _, record := range records {
		switch record.Status {
		case CAPAOpen, CAPAInProgress:
			open++
		case CAPAOverdue:
			overdue++
		}
	}
	return open, overdue
}
