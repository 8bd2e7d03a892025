package jobs

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/claimsync/claimsync/outbox"
)

const (
	// burstInFull is how many of the failures that are alike get a line each, in any burstEvery.
	burstInFull = 5
	// burstEvery is how often the further ones are summed up.
	burstEvery = 10 * time.Second
	// burstKinds is how many kinds are told apart by what the destination says: were each of its answers another, the
	// memory for them would have no bound, nor would the log.
	burstKinds = 64
)

// burstLog keeps what fails alike a thousand times from being logged a thousand times: of each kind, the first few lines
// are due, and then one every ten seconds says how many more there were. A kind that was not seen for as long begins
// anew.
type burstLog struct {
	logger *slog.Logger

	mu     sync.Mutex
	bursts map[likeness]*burst
	ended  bool
}

// likeness is what failures have in common that are told as one.
type likeness struct {
	topic, outcome string
	status         int
	text           string // without what differs from one key or call to the next
}

// burst is what a kind has had since it was last quiet.
type burst struct {
	level   slog.Level
	inFull  int
	omitted int    // since they were last summed up
	latest  string // of those
	timer   *time.Timer
}

func newBurstLog(logger *slog.Logger) *burstLog {
	return &burstLog{logger: logger, bursts: map[likeness]*burst{}}
}

// likenessOf takes the key, the destination's name for the call, and all words with a digit, such as ports, times and
// other ids, out of the text.
func likenessOf(topic, key, outcome string, receipt outbox.Receipt, err error) likeness {
	kind := likeness{topic: topic, outcome: outcome, status: receipt.Status}
	if err == nil {
		return kind
	}
	words := strings.Fields(strings.ReplaceAll(err.Error(), key, "0"))
	for i, word := range words {
		if strings.ContainsAny(word, "0123456789") || receipt.TraceID != "" && strings.Contains(word, receipt.TraceID) {
			words[i] = "#"
		}
	}
	kind.text = strings.Join(words, " ")
	return kind
}

// due tells whether a failure gets its own line; text is what went wrong, for the summary if it does not.
func (l *burstLog) due(level slog.Level, kind likeness, text string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended {
		return true
	}
	b := l.bursts[kind]
	if b == nil && len(l.bursts) >= burstKinds {
		kind.text = ""
		b = l.bursts[kind]
	}
	if b == nil {
		b = &burst{}
		b.timer = time.AfterFunc(burstEvery, func() { l.sumUp(kind, b) })
		l.bursts[kind] = b
	}
	if b.inFull < burstInFull {
		b.inFull++
		return true
	}
	b.omitted++
	b.level, b.latest = level, text
	return false
}

// sumUp is called every burstEvery, until a kind was quiet for so long.
func (l *burstLog) sumUp(kind likeness, b *burst) {
	l.mu.Lock()
	told := *b
	switch {
	case l.ended: // and told everything
		told.omitted = 0
	case b.omitted == 0:
		delete(l.bursts, kind)
	default:
		b.omitted = 0
		b.timer.Reset(burstEvery)
	}
	l.mu.Unlock()
	l.tell(kind, told)
}

// end tells what was not told yet. From then on every failure gets its own line: of a process that stops, those are few.
func (l *burstLog) end() {
	l.mu.Lock()
	l.ended = true
	bursts := l.bursts
	l.bursts = nil
	l.mu.Unlock()
	for kind, b := range bursts {
		b.timer.Stop()
		l.tell(kind, *b)
	}
}

func (l *burstLog) tell(kind likeness, b burst) {
	if b.omitted == 0 {
		return
	}
	message := "More deliveries failed the same way"
	if kind.outcome == string(outbox.Park) {
		message = "More deliveries were parked for the same reason: app status has how many, app why what became of each"
	}
	attrs := []slog.Attr{
		slog.String("topic", kind.topic), slog.String("outcome", kind.outcome), slog.Int("more", b.omitted),
	}
	if kind.status != 0 {
		attrs = append(attrs, slog.Int("status", kind.status))
	}
	if b.latest != "" {
		attrs = append(attrs, slog.String("latest_err", b.latest))
	}
	l.logger.LogAttrs(context.Background(), b.level, message, attrs...)
}
