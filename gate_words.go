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
		paragraphs = append(paragraphs, breakerInWords(standing.Breaker, g.Now))
	}
	if since := g.Queue.pausedByHand(); since != nil {
		paragraphs = append(paragraphs, pauseInWords(*since, g.Now))
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

func breakerInWords(b *outbox.Breaker, now time.Time) string {
	text := fmt.Sprintf("The breaker has been open since %s: %s", moment(now, b.Since), causeInWords(b))
	if b.NextProbe == nil {
		return text + " Nothing is pushed until: app breaker close"
	}
	return text + fmt.Sprintf(" Nothing is pushed but probes: %d so far, the next at %s.", b.Probes, moment(now, *b.NextProbe))
}

func causeInWords(b *outbox.Breaker) string {
	switch b.Cause {
	case outbox.CauseOutage:
		return "Clerk fails or does not answer (" + b.Reason + ")."
	case outbox.CauseConfiguration:
		return "Clerk refuses us whatever we send (" + b.Reason + "). Check CLERK_SECRET_KEY and CLERK_API_URL, and start " +
			"app serve with the right ones."
	default:
		return "a person opened it (" + b.Reason + ")."
	}
}

func pauseInWords(since, now time.Time) string {
	return fmt.Sprintf("A person paused River's queue %s at %s: nothing is pushed until it is resumed, in River UI.",
		Topic, moment(now, since))
}
