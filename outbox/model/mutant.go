package model

// mutant is a set of deviations from the protocol, each a mistake that an implementation could make.
type mutant uint32

const (
	faithful mutant = 0

	dropFence mutant = 1 << iota
	markAfterCommit
	completeWithoutDirtyCheck
	insertUnlessJobExists
	noSweep
	sweepLeasedRows
	sweepSkipsExpiredVerification
	claimLeasedRows
	completeBeforeAcknowledge
	readBeforeClaim
	readUncommitted
	noDoubt
	noDoubtAfterTimeout
	noDoubtAfterTakeover
	noDoubtAfterFence
	forgetNewDoubt
	lastByCommitTime
	verifyWithoutDirtyCheck
	cleanVerdictKeepsJob
	markKeepsParked
	parkWhateverIsDesired
	// Not of the protocol, but of what it assumes about the world.
	requestsOutliveHorizon
	lateSendersDie
)

func (m *model) has(deviation mutant) bool { return m.mutant&deviation != 0 }
