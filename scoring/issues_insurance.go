package scoring

// insuranceIssues are the issues a policy type can have, made once: a calculation formats nothing.
type insuranceIssues struct{ missing, insufficient, expiring, expiringSoon Issue }

var issuesOfPolicyType = func() (issues [policyTypeCount]insuranceIssues) {
	for i, t := range PolicyTypes() {
		issue := func(severity Severity, code, message string) Issue {
			return Issue{CategoryInsurance, severity, code + t.String(), t.Title() + " insurance " + message}
		}
		issues[i] = insuranceIssues{
			missing:      issue(SeverityCritical, "INS_MISSING_", "is required, and no policy is in force."),
			insufficient: issue(SeverityWarning, "INS_INSUFFICIENT_", "covers less than the certification tier requires."),
			expiring:     issue(SeverityWarning, "INS_EXPIRING_", "expires within 30 days."),
			expiringSoon: issue(SeverityInfo, "INS_EXPIRING_SOON_", "expires within 60 days."),
		}
	}
	return issues
}()

// appendIssue adds what is wrong with a required policy type; i is its index.
func (s *standing) appendIssue(found []Issue, i int) []Issue {
	switch s.score {
	case scoreInForce:
		return found
	case scoreExpiringSoon:
		return append(found, issuesOfPolicyType[i].expiringSoon)
	case scoreExpiring:
		return append(found, issuesOfPolicyType[i].expiring)
	case scoreInsufficient:
		return append(found, issuesOfPolicyType[i].insufficient)
	default:
		return append(found, issuesOfPolicyType[i].missing)
	}
}
