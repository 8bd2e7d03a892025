package console

import (
	"net/http"

	"github.com/claimsync/claimsync"
)

// inSentences is what stands in the way of all, as it reads on a page: in UTC, as all its times.
func inSentences(gate *claimsync.Gate) []string {
	gate.Now = gate.Now.UTC()
	return gate.InWords()
}

// countedAtMost is how far is counted what waits: what comes after says no more to a person.
const countedAtMost = 10_000

// waiting says how many are let loose when nothing is in the way any more.
func (c *console) waiting(r *http.Request) (string, error) {
	backlog, err := c.sync.Outbox().Backlog(r.Context(), c.sync.Jobs().Pool, claimsync.Topic, countedAtMost+1)
	switch {
	case err != nil:
		return "", err
	case backlog.Dirty == 0:
		return "No organization waits to be pushed.", nil
	case backlog.Dirty == 1:
		return "1 organization waits to be pushed.", nil
	}
	dirty := claimsync.Count{N: min(backlog.Dirty, countedAtMost), OrMore: backlog.Dirty > countedAtMost}
	return dirty.String() + " organizations wait to be pushed.", nil
}

// whoIs is how somebody is named in a sentence.
func whoIs(action *claimsync.OperatorAction) string {
	return action.Operator.Name + " from " + action.Operator.Origin
}
