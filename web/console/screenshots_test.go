package console_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/claimsync/claimsync"
	"github.com/claimsync/claimsync/clerk/clerktest"
)

var screenshots = flag.String("screenshots", "", "write a picture of each page, in each state, width and colour scheme, to this directory")

// TestScreenshots is for a person's eye: go test ./web/console -run Screenshots -screenshots DIR
func TestScreenshots(t *testing.T) {
	if *screenshots == "" {
		t.Skip("only with -screenshots DIR")
	}
	browser := startBrowser(t)
	for name, set := range map[string]func(*stage){"empty": func(*stage) {}, "busy": (*stage).setBusy, "broken": (*stage).setBroken} {
		s := newStage(t)
		set(s)
		s.photograph(browser, name)
	}
}

func (s *stage) photograph(browser context.Context, state string) {
	paths := []string{"/", "/organizations", "/organizations?state=dirty", "/parked", "/parked/redrive", "/drift", "/drift/repair", "/operators", "/breaker", "/breaker/close", "/queue/resume"}
	if state != "empty" {
		paths = append(paths, "/organizations/o1", "/organizations/p1", "/organizations?q=nothing", "/organizations/none")
	}
	for _, scheme := range []string{"light", "dark"} {
		for _, width := range []int64{390, 1280} {
			height := map[int64]int64{390: 844, 1280: 900}[width]
			b := newTab(s, browser, command(emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
				Width: width, Height: height, DeviceScaleFactor: 1, Mobile: width == 390,
			}), command(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
				Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
			}))
			for _, path := range paths {
				b.goTo(path)
				wide := ask(b, chromedp.Evaluate[bool](fmt.Sprintf(
					"document.querySelectorAll('details').forEach(d => d.open = true); document.documentElement.scrollWidth > %d", width)))
				picture := ask(b, chromedp.FullScreenshot(100))
				if wide {
					s.t.Errorf("%s, %s at %d: it is wider than the window", path, state, width)
				}
				name := strings.Trim(strings.NewReplacer("/", "_", "?", "-", "=", "-").Replace(path), "_")
				file := filepath.Join(*screenshots, fmt.Sprintf("%s-%s-%d-%s.png", state, name, width, scheme))
				s.must(os.WriteFile(file, picture, 0o600))
			}
		}
	}
}

// setBusy has a process work on a few organizations, after an hour of which there are figures.
func (s *stage) setBusy() {
	s.busyHour(4)
	for i := range 12 {
		s.create(fmt.Sprint("o", i), fmt.Sprintf("Otago Roofing and Cladding %d Ltd", i))
	}
	s.create("p1", "Penrose & Daughters")
	s.exec("INSERT INTO organizations (id, name) SELECT 'u'||i, 'Unlinked Builders '||i FROM generate_series(1, 3) AS i")
	s.work()
	s.until("all are pushed", func() bool { return s.count("SELECT count(*) FROM outbox WHERE dirty_since IS NOT NULL") == 0 })
	s.until("a process is seen", func() bool { return s.count("SELECT count(*) FROM process") == 1 })
	s.post("/organizations/o1/push", nil)
	s.post("/drift/check", nil)
	s.until("the check is made", func() bool {
		last, err := s.sync.LastDriftCheck(s.t.Context())
		s.must(err)
		return last.Report != nil && last.RequestedAt == nil
	})
}

// setBroken has some given up on, drift, a process that died, and Clerk away.
func (s *stage) setBroken() {
	s.setBusy()
	s.park("park 422", "p2", "p3", "p4")
	s.park("Clerk has not known it for 3 days (missing 404)", "p5")
	s.exec("UPDATE outbox SET job_id = NULL, dirty_since = now(), synced_version = 0, parked_at = now(), parked_reason = 'park 422', last_error = $1 WHERE key = 'org_p1'",
		"clerk: 422 form_param_exceeds_allowed_size: public_metadata is larger than 8 KB, so that nothing of it was stored; trace 0af7651916cd43dd8448eb211c80319c")
	s.clerk.EditMetadata("org_o3", []byte(`{"certification_tier": "MASTER_ROOFER", "compliance_score": "ninety"}`), nil)
	s.clerk.AddOrganization("org_stranger", "Stranger")
	s.post("/drift/check", nil)
	s.until("drift is found", func() bool {
		last, err := s.sync.LastDriftCheck(s.t.Context())
		s.must(err)
		return last.Report != nil && last.Report.Drifted > 0
	})
	s.exec(`INSERT INTO process (id, hostname, pid, version, started_at, seen_at)
		VALUES (gen_random_uuid(), 'app-7f9c6d5b4-x2x8q.claimsync.svc', 4711, 'v1.2.2', now() - interval '3 days', now() - interval '40 minutes')`)
	s.clerk.SetFaults(clerktest.Fault{Effect: clerktest.Answer, Status: 503})
	for i := range 6 {
		s.post(fmt.Sprintf("/organizations/o%d/push", i), nil)
	}
	s.until("the breaker is open", func() bool {
		gate, err := s.sync.Gate(s.t.Context(), s.river)
		s.must(err)
		return gate.Destination.Breaker != nil
	})
	s.exec("UPDATE outbox SET dirty_since = now() - interval '11 minutes' WHERE key = 'org_o1' AND dirty_since IS NOT NULL")
}

// busyHour puts an hour of deliveries into the plot's data.
func (s *stage) busyHour(most int) {
	s.exec(`INSERT INTO outbox_activity (topic, begins_at, outcome, deliveries)
		SELECT $1, date_bin('10 s', now(), 'epoch') - i * interval '10 s', o, n
		FROM generate_series(2, 358) AS i, LATERAL (VALUES
			('applied'::delivery_outcome, (10 * $2::int * (1 + sin(i / 40.0)) / 2 + random() * 20)::int * (i NOT BETWEEN 90 AND 120)::int),
			('outage', (8 * random())::int * (i BETWEEN 90 AND 120)::int)) AS v (o, n) WHERE n > 0`, claimsync.Topic, most)
}
