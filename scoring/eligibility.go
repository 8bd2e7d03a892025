package scoring

import "slices"

// minimumOverall is the overall score needed to move up to a tier.
var minimumOverall = map[Tier]int{Certified: 70, MasterRoofer: 90}

// masterRooferLBPs is how many verified licence holders a master roofer has at least.
const masterRooferLBPs = 2

func eligibility(tier Tier, overall, verifiedLBPs int, found []Issue) TierEligibility {
	next, ok := tier.next()
	if !ok {
		return TierEligibility{CurrentTier: tier}
	}
	blockers := 0
	if overall < minimumOverall[next] {
		blockers++
	}
	if slices.ContainsFunc(found, func(i Issue) bool { return i.Severity == SeverityCritical }) {
		blockers++
	}
	if next == MasterRoofer && verifiedLBPs < masterRooferLBPs {
		blockers++
	}
	return TierEligibility{
		CurrentTier:        tier,
		NextTier:           &next,
		EligibleForUpgrade: blockers == 0,
		BlockerCount:       blockers,
	}
}
