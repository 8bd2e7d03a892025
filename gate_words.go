package claimsync

import (
	"fmt"
	"time"

	"github.com/claimsync/claimsync/outbox"
)

// InWords says what stands between all organizations and Clerk, a paragraph each. None: nothing does.
func (g Gate) InWords() (paragraphs []string) {
	standing := g.Destination
	if standing.Blocked != nil {
		paragraphs = append(paragraphs, blockInWords(standing.Blocked, g.Now))
	}
	if standing.Breaker != nil {
		paragraphs = append(paragraphs, g.breakerInWords())
	}
	if g.Queue.pausedByHand() != nil {
		paragraphs = append(paragraphs, g.pauseInWords())
	}
	if standing.Rate < 1 {
		paragraphs = append(paragraphs, fmt.Sprintf("Others seem to use Clerk's rate limit too: of our share, %.0f %% is "+
			"used until it has grown back.", 100*standing.Rate))
	}
	return paragraphs
}

func blockInWords(b *outbox.Block, now time.Time) string {
	return fmt.Sprintf("Clerk told everybody to wait until %s: %s", moment(now, b.Until), b.Reason)
}

// breakerInWords is about a breaker that is open.
func (g Gate) breakerInWords() string {
	b := g.Destination.Breaker
	text := fmt.Sprintf("The breaker has been open since %s: %s", moment(g.Now, b.Since), causeInWords(b, g.OpenedBy))
	switch {
	case b.NextProbe == nil:
		return text + " Nothing is pushed until: app breaker close"
	case b.NextProbe.After(g.Now):
		return text + fmt.Sprintf(" Nothing is pushed but probes: %d so far, the next at %s.", b.Probes, moment(g.Now, *b.NextProbe))
	default:
		return text + fmt.Sprintf(" Nothing is pushed but probes: %d so far, the next now.", b.Probes)
	}
}

// pauseInWords is about a queue that a person paused.
func (g Gate) pauseInWords() string {
	return fmt.Sprintf("%s paused River's queue %s at %s: nothing is pushed until it is resumed, in River UI.",
		whoInWords("A person", g.PausedBy), Topic, moment(g.Now, *g.Queue.pausedByHand()))
}

// whoInWords is who did something, or else somebody.
func whoInWords(somebody string, did *OperatorAction) string {
	if did == nil {
		return somebody
	}
	return did.Operator.String()
}

// String is for people: ada (192.0.2.1).
func (o Operator) String() string {
	if o.Origin == "" {
		return o.Name
	}
	return o.Name + " (" + o.Origin + ")"
}

func causeInWords(b *outbox.Breaker, by *OperatorAction) string {
	switch b.Cause {
	case outbox.CauseOutage:
		return "Clerk fails or does not answer (" + b.Reason + ")."
	case outbox.CauseConfiguration:
		return "Clerk refuses us whatever we send (" + b.Reason + "). Check CLERK_SECRET_KEY and CLERK_API_URL, and start " +
			"app serve with the right ones."
	default:
		return whoInWords("a person", by) + " opened it (" + b.Reason + ")."
	}
}
