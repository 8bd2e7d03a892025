package ops_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/riverqueue/river"

	"github.com/claimsync/claimsync"
	"github.com/claimsync/claimsync/clerk"
	"github.com/claimsync/claimsync/clerk/clerktest"
	"github.com/claimsync/claimsync/db"
	"github.com/claimsync/claimsync/metrics"
)

// series of a topic.
func of(name, labels string) string {
	return "claimsync_" + name + "{" + labels + `topic="clerk_organization"}`
}

func positive(v float64) bool { return v > 0 }

// brokenSystems are real ones: what breaks them, and what fires how many minutes later, and not a minute before.
var brokenSystems = map[string]struct {
	still  bool // nothing is pushed
	breaks func(*plant)
	fires  []firing
}{
	"a healthy one": {
		breaks: func(p *plant) {
			p.change("a", "b", "c", "d", "e")
			p.inStep()
		},
		fires: []firing{{0, nil}, {90, nil}},
	},
	"Clerk fails": {
		breaks: func(p *plant) {
			p.clerk.SetFaults(clerktest.Fault{Effect: clerktest.Answer, Status: http.StatusServiceUnavailable})
			p.change("a", "b", "c", "d", "e")
			p.until(of("breaker_open", `cause="outage",`), positive)
		},
		fires: []firing{
			{4, nil}, {5, []string{"ClaimsyncBreakerOpen"}}, {90, []string{"ClaimsyncBreakerOpen"}},
		},
	},
	"the key is revoked": {
		breaks: func(p *plant) {
			p.clerk.SetSecretKey("sk_test_rotated")
			p.change("a")
			p.until(of("breaker_open", `cause="configuration",`), positive)
		},
		fires: []firing{
			{-1, nil}, {0, []string{"ClaimsyncConfigurationFault"}}, {90, []string{"ClaimsyncConfigurationFault"}},
		},
	},
	"one is refused": {
		breaks: func(p *plant) {
			p.clerk.SetFaults(clerktest.Fault{
				Effect: clerktest.Answer, Status: http.StatusUnprocessableEntity, Organization: "org_a",
			})
			p.change("a", "b")
			p.until(of("outbox_parked_rows", ""), positive)
			p.inStep()
		},
		fires: []firing{
			{-1, nil}, {0, []string{"ClaimsyncParkedGrowing"}}, {58, []string{"ClaimsyncParkedGrowing"}}, {61, nil},
		},
	},
	"nothing gets through, since the queue is paused": {
		breaks: func(p *plant) {
			p.pauseQueue()
			p.change("a", "b")
			p.exec(`UPDATE outbox SET dirty_since = dirty_since - interval '2 min' WHERE key = 'org_a'`)
			p.until(of("outbox_oldest_dirty_age_seconds", ""), func(v float64) bool { return v > 120 && v < 180 })
		},
		fires: []firing{
			{1, nil}, {2, []string{"ClaimsyncOldestDirtyAge"}}, {14, []string{"ClaimsyncOldestDirtyAge"}},
			{15, []string{"ClaimsyncOldestDirtyAge", "ClaimsyncQueuePausedByHand"}},
		},
	},
	"a person holds the breaker open": {
		breaks: func(p *plant) {
			_, err := p.sync.Outbox().Open(p.t.Context(), p.pool, p.waker, claimsync.Topic, "for a test")
			p.must(err)
		},
		fires: []firing{{59, nil}, {60, []string{"ClaimsyncBreakerHeldOpen"}}},
	},
	"Clerk tells everybody to wait": {
		breaks: func(p *plant) {
			fault := clerktest.Fault{Effect: clerktest.Answer, Status: http.StatusTooManyRequests, RetryAfter: 5 * time.Minute}
			p.clerk.SetFaults(fault)
			p.change("a")
			p.until(of("destination_blocked_seconds", ""), positive)
		},
		fires: []firing{{0, nil}, {1, []string{"ClaimsyncToldToWait"}}},
	},
	"jobs are deleted": {
		still: true,
		breaks: func(p *plant) {
			p.exec(`DELETE FROM river.river_job`)
			p.until(of("swept_rows_total", ""), func(v float64) bool { return v == 5 })
		},
		fires: []firing{{-1, nil}, {0, []string{"ClaimsyncSweepsFind"}}, {16, nil}},
	},
	"somebody posts to the webhook": {
		breaks: func(p *plant) {
			verifier, err := clerk.NewWebhook(clerktest.DefaultWebhookSecret)
			p.must(err)
			for range 8 {
				if p.sync.Webhook(verifier, p.waker).Receive(p.t.Context(), http.Header{}, []byte(`{}`)) == nil {
					p.t.Error("an unsigned webhook is handled")
				}
			}
		},
		fires: []firing{{-1, nil}, {0, []string{"ClaimsyncWebhooksRefused"}}, {16, nil}},
	},
}

func TestAlertsOfBrokenSystems(t *testing.T) {
	t.Parallel()
	rules := readRules(t)
	for name, test := range brokenSystems {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			needPromtool(t)
			p := newPlant(t)
			if test.still {
				p.report()
				p.add("a", "b", "c", "d", "e")
			} else {
				p.work()
				p.add("a", "b", "c", "d", "e")
				p.inStep()
			}
			before := p.scrape()
			test.breaks(p)
			h := history{before: before, after: p.scrape()}
			h.check(t, rules, test.fires...)
		})
	}
}

// pauseQueue does what River UI does, and returns once the process knows.
func (p *plant) pauseQueue() {
	p.t.Helper()
	paused, cancel := p.river.Subscribe(river.EventKindQueuePaused)
	defer cancel()
	p.must(p.river.QueuePause(p.t.Context(), claimsync.Topic, nil))
	select {
	case <-paused:
	case <-time.After(30 * time.Second):
		p.t.Fatal("River was not paused within 30 s")
	}
}

// Without the database there is no telling what else is wrong, and no alert that claims to know.
func TestAlertsWithoutDatabase(t *testing.T) {
	t.Parallel()
	needPromtool(t)
	p := newPlant(t)
	p.report()
	p.add("a")
	healthy := p.scrape()
	nowhere, err := db.Open(t.Context(), "postgres://nobody@127.0.0.1:1/nothing")
	p.must(err)
	t.Cleanup(nowhere.Close)
	blind := metrics.New()
	blind.WatchPool(nowhere)
	blind.WatchOutbox(nowhere, p.sync.Outbox(), claimsync.Topic)
	h := history{before: healthy, after: scrapeOf(t, blind)}
	h.check(t, readRules(t), firing{0, nil}, firing{1, []string{"ClaimsyncOutboxUnreadable each"}},
		firing{60, []string{"ClaimsyncOutboxUnreadable each"}})
}
