package model

import "testing"

// Bounds in which a mutant is caught: the smallest, since the search ends with the first violation.
var (
	calm       = bounds{versions: [keyCount]uint8{2, 1}}
	slow       = bounds{versions: [keyCount]uint8{2, 1}, slow: true}
	rollbacks  = bounds{versions: [keyCount]uint8{2}, rollbacks: true}
	noAnswer   = bounds{versions: [keyCount]uint8{2}, failures: 1}
	noAnswers  = bounds{versions: [keyCount]uint8{2}, failures: 2, disruptions: 1}
	disturbed  = bounds{versions: [keyCount]uint8{2}, disruptions: 1}
	disturbed2 = bounds{versions: [keyCount]uint8{2}, disruptions: 2}
	both       = bounds{versions: [keyCount]uint8{2}, failures: 1, disruptions: 1}
)

// mutants are mistakes, each with the property that catches it.
var mutants = map[string]struct {
	mutant   mutant
	bounds   bounds
	caughtBy property
}{
	"acknowledging without the token":             {dropFence, disturbed, fenced},
	"acknowledging without the token: the damage": {dropFence, disturbed, settles},
	"acknowledging what was marked meanwhile":     {completeWithoutDirtyCheck, calm, settles},
	"marking after the commit":                    {markAfterCommit, disturbed, converges},
	"a unique job, no sweep":                      {insertUnlessJobExists | noSweep, calm, converges},
	"a unique job, saved by the sweep":            {insertUnlessJobExists, calm, idleSweep},
	"no sweep":                                    {noSweep, disturbed, converges},
	"sweeping leased rows":                        {sweepLeasedRows, slow, oneJob},
	"sweeping leased rows whose job was deleted":  {sweepLeasedRows, disturbed, sweepApart},
	"claiming leased rows":                        {claimLeasedRows, disturbed, onePush},
	"reading before the claim":                    {readBeforeClaim, calm, truthful},
	"reading before the claim: the damage":        {readBeforeClaim, calm, settles},
	"reading what is not committed":               {readUncommitted, rollbacks, committedOnly},
	"leaving a marked key parked":                 {markKeepsParked, noAnswer, parkedAsRefused},
	"parking what was marked during the push":     {parkWhateverIsDesired, noAnswer, parkedAsRefused},
	"no doubt":                                          {noDoubt, noAnswer, settles},
	"no doubt after a timeout":                          {noDoubtAfterTimeout, noAnswer, settles},
	"no doubt after a takeover":                         {noDoubtAfterTakeover, disturbed, settles},
	"no doubt after a fenced result":                    {noDoubtAfterFence, disturbed, settles},
	"clearing a doubt newer than the verification":      {forgetNewDoubt, disturbed, settles},
	"a last verification that read back too early":      {lastByCommitTime, noAnswer, settles},
	"verifying without a look at what was marked":       {verifyWithoutDirtyCheck, noAnswer, idleSweep},
	"not sweeping a verification whose worker died":     {sweepSkipsExpiredVerification, both, converges},
	"a row keeps the job that found nothing to deliver": {cleanVerdictKeepsJob, noAnswers, jobNotEnded},

	// Not harmful as long as there is a sweep: whoever dies in between leaves a dirty row that only the sweep finds, as
	// the job is not there for River to rescue. So it is caught by what it leaves, and not by an update that is lost.
	"completing the job before acknowledging": {completeBeforeAcknowledge, calm, jobNotEnded},
}

// TestMutants checks that the properties notice mistakes: that the model can tell a wrong protocol from a right one.
func TestMutants(t *testing.T) {
	t.Parallel()
	for name, test := range mutants {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			checkCaught(t, test.mutant, test.bounds, test.caughtBy)
		})
	}
}

// assumptions are about the world, not about the protocol: without them it does not hold, which shows that they are
// needed, and what happens otherwise.
var assumptions = map[string]struct {
	without mutant
	bounds  bounds
}{
	"requests land before the last verification, or never": {requestsOutliveHorizon, noAnswer},
	"who sends after the last verification can report it":  {lateSendersDie, disturbed2},
}

func TestAssumptions(t *testing.T) {
	t.Parallel()
	for name, test := range assumptions {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			checkCaught(t, test.without, test.bounds, settles)
		})
	}
}

func checkCaught(t *testing.T, m mutant, b bounds, caughtBy property) {
	t.Helper()
	g := explore(newModel(b, m), nil, caughtBy)
	found, caught := g.violations[caughtBy]
	if !caught {
		t.Fatalf("not caught in %d states by: %s", len(g.states), caughtBy)
	}
	t.Logf("%s; violated after\n%s", caughtBy, g.trace(found))
}
