package scoring

// standing is a policy in force, as of some instant.
type standing struct {
	policy     *InsurancePolicy // nil: none in force
	expiry     micros
	daysLeft   int // rounded up
	sufficient bool
	score      int

	fallsAt micros // when the score next becomes lower
}

// The scores of a required policy type.
const (
	scoreExpiring     = 70 // in at most 30 days
	scoreExpiringSoon = 85 // in at most 60 days
	scoreInForce      = 100
	scoreInsufficient = 50
)

func scoreInsurance(
	policies []InsurancePolicy, tier Tier, now micros, found []Issue,
) (InsuranceScore, micros, []Issue) {
	result := InsuranceScore{Weight: insuranceWeight}
	inForce := policiesInForce(policies, tier, now)
	// The figures that may be null point into one block, which is one allocation rather than one for each.
	figures := new([policyTypeCount]struct {
		minimum, actual Money
		days            int
	})
	sum, required, change := 0, 0, never
	for i := range policyTypeCount {
		s, figure := &inForce[i], &figures[i]
		p := &result.Policies[i]
		p.Type = PolicyType(i + 1)
		if s.policy != nil {
			figure.actual, figure.days = s.policy.CoverageAmount, s.daysLeft
			p.ActualCoverage, p.ExpiresInDays = &figure.actual, &figure.days
		}
		if figure.minimum, p.Required = MinimumCoverage(tier, p.Type); !p.Required {
			continue
		}
		p.MinimumCoverage = &figure.minimum
		p.IsValid = s.sufficient
		p.Score = s.score
		found = s.appendIssue(found, i)

		sum += s.score
		required++
		if s.policy != nil {
			change = min(change, s.fallsAt)
		}
	}
	result.Score = roundHalfUp(float64(sum) / float64(required))
	return result, change, found
}

// policiesInForce picks the policy that counts for each type.
func policiesInForce(policies []InsurancePolicy, tier Tier, now micros) (best [policyTypeCount]standing) {
	for i := range policies {
		policy := &policies[i]
		expiry := microsOf(policy.ExpiryDate)
		if expiry <= now {
			continue
		}
		s := stand(policy, expiry, tier, now)
		if current := &best[policy.Type-1]; s.betterThan(current) {
			*current = s
		}
	}
	return best
}

// stand assesses a policy in force. That a policy's score only ever falls makes the next change easy to tell: a type's
// score is that of its best policy, and of equally good ones the last to expire is the last to fall.
func stand(policy *InsurancePolicy, expiry micros, tier Tier, now micros) standing {
	s := standing{policy: policy, expiry: expiry, daysLeft: (expiry - now).daysUp(), fallsAt: expiry}
	minimum, required := MinimumCoverage(tier, policy.Type)
	if !required {
		return s
	}
	s.sufficient = policy.CoverageAmount >= minimum
	switch {
	case !s.sufficient:
		s.score = scoreInsufficient
	case s.daysLeft <= 30:
		s.score = scoreExpiring
	case s.daysLeft <= 60:
		s.score, s.fallsAt = scoreExpiringSoon, expiry-30*day
	default:
		s.score, s.fallsAt = scoreInForce, expiry-60*day
	}
	return s
}

// betterThan prefers the better score, then the later expiry, so that an early renewal counts at once. The coverage
// decides last, only to make the order of the list irrelevant.
func (s *standing) betterThan(other *standing) bool {
	switch {
	case other.policy == nil:
		return true
	case s.score != other.score:
		return s.score > other.score
	case s.expiry != other.expiry:
		return s.expiry > other.expiry
	default:
		return s.policy.CoverageAmount > other.policy.CoverageAmount
	}
}

// insuranceValid reports whether the company has public liability insurance of any amount, and when that ends. Unlike
// for the score, a policy still counts at the very instant of its expiry.
func insuranceValid(policies []InsurancePolicy, now micros) (bool, micros) {
	valid, last := false, now
	for i := range policies {
		if policies[i].Type != PublicLiability {
			continue
		}
		if expiry := microsOf(policies[i].ExpiryDate); expiry >= last {
			valid, last = true, expiry
		}
	}
	if !valid {
		return false, never
	}
	return true, last + microsecond
}
