package scoring

var (
	issueNoOwner = Issue{CategoryPersonnel, SeverityWarning, "PERS_NO_OWNER",
		"No member is the owner."}
	issueUnverifiedLBP = Issue{CategoryPersonnel, SeverityWarning, "PERS_UNVERIFIED_LBP",
		"Some building practitioner licences are not verified."}
	issueNoVerifiedLBP = Issue{CategoryPersonnel, SeverityWarning, "PERS_NO_VERIFIED_LBP",
		"None of the building practitioner licences is verified."}
	issueNoLBP = Issue{CategoryPersonnel, SeverityWarning, "PERS_NO_LBP",
		"No member is a licensed building practitioner."}
	issueExpiredLBP = Issue{CategoryPersonnel, SeverityCritical, "PERS_EXPIRED_LBP",
		"A building practitioner licence has expired."}
	issueSingleStaff = Issue{CategoryPersonnel, SeverityInfo, "PERS_SINGLE_STAFF",
		"The company has a single member."}
)

func scorePersonnel(members []Member, now micros, found []Issue) (PersonnelScore, micros, []Issue) {
	details, holders, firstExpiry := countMembers(members, now)
	score, change := 0, never
	if details.HasOwner {
		score += 30
	} else {
		found = append(found, issueNoOwner)
	}
	switch {
	case holders == 0:
		found = append(found, issueNoLBP)
	case details.LBPVerifiedCount == holders:
		score += 50
	case details.LBPVerifiedCount > 0:
		score += 30
		found = append(found, issueUnverifiedLBP)
	default:
		score += 15
		found = append(found, issueNoVerifiedLBP)
	}
	if details.LBPExpiredCount > 0 {
		score -= 10
		found = append(found, issueExpiredLBP)
	} else if firstExpiry != never {
		change = firstExpiry + microsecond // a licence is still good at the instant of its expiry
	}
	switch {
	case details.TotalMembers >= 2:
		score += 20
	case details.TotalMembers == 1:
		score += 10
		found = append(found, issueSingleStaff)
	}
	return PersonnelScore{clampScore(score), personnelWeight, details}, change, found
}

// countMembers also returns the number of licence holders, and the first expiry that is yet to come. An expiry counts
// even where the number is missing.
func countMembers(members []Member, now micros) (d PersonnelDetails, holders int, firstExpiry micros) {
	d.TotalMembers = len(members)
	firstExpiry = never
	for i := range members {
		m := &members[i]
		d.HasOwner = d.HasOwner || m.Role == Owner
		if m.holdsLBP() {
			holders++
			switch {
			case m.LBPVerified:
				d.LBPVerifiedCount++
			case m.LBPStatus == nil || *m.LBPStatus != LBPCurrent:
				d.LBPPendingCount++
			}
		}
		if m.LBPExpiry == nil {
			continue
		}
		if expiry := microsOf(*m.LBPExpiry); expiry < now {
			d.LBPExpiredCount++
		} else {
			firstExpiry = min(firstExpiry, expiry)
		}
	}
	return d, holders, firstExpiry
}
