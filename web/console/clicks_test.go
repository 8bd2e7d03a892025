package console_test

import (
	"context"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/claimsync/claimsync"
	"github.com/claimsync/claimsync/web"
)

// below is where an application has mounted us.
const below = "/internal/claimsync"

func mounted(config *web.Config) { config.Prefix = below }

// TestClicks is a person at a browser, on the main paths; each has a tab of its own. Some are in an application of which we
// are a part.
func TestClicks(t *testing.T) {
	t.Parallel()
	browser := startBrowser(t)
	alone := func(*web.Config) {}
	for name, test := range map[string]struct {
		path  func(*stage, context.Context)
		where func(*web.Config)
	}{
		"redrive a group": {redriveAGroup, alone}, "search, compare, push": {searchCompareAndPush, mounted},
		"breaker, live": {breakerLive, mounted}, "drift": {checkAndRepair, alone},
		"without scripts": {withoutJavaScript, mounted}, "typing is left alone": {typingIsLeftAlone, alone},
		"to River UI and its jobs": {jobsInRiverUI, mounted},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test.path(newStage(t, test.where), browser)
		})
	}
}

// jobsInRiverUI follows the link to River UI, whose own scripts then have to find its parts and its API.
func jobsInRiverUI(s *stage, browser context.Context) {
	s.create("a", "A")
	b := newTab(s, browser)
	b.goTo("/organizations/a")
	b.run(chromedp.Click(chromedp.Search(`//main//a[starts-with(text(), "job ")]`)))
	b.sees("outbox_delivery", "Available")
}

func redriveAGroup(s *stage, browser context.Context) {
	s.park("park 422", "a", "b")
	s.park("unknown there", "c")
	s.work()
	s.until("a process is seen", func() bool { return s.count("SELECT count(*) FROM process") == 1 })
	b := newTab(s, browser)
	b.goTo("/")
	b.sees("3 organizations were given up on, until somebody redrives them.")
	b.click("Given up on")
	b.sees("park 422", "unknown there")
	b.run(chromedp.Click(chromedp.Search(`//tr[@data-key="park 422"]//a[text()="Redrive these…"]`)))
	b.sees("Redrive what is parked for “park 422”: 2 organizations?")
	b.click("Redrive 2 organizations")
	b.sees("2 organizations are on their way again.")
	b.run(chromedp.WaitNotPresent(chromedp.Search(`//tr[@data-key="org_a"]`)))
	b.click("Redrive Organization c")
	b.sees("One organization is on its way again.", "Nothing was given up on.")
	b.goTo("/")
	b.sees("All is well: Clerk has confirmed the latest state of every linked organization.") // it drains, and the page follows
}

func searchCompareAndPush(s *stage, browser context.Context) {
	s.create("a", "Acme Roofing & Sons")
	s.create("b", "Other Roofing")
	s.work()
	s.until("all are pushed", func() bool { return s.count("SELECT count(*) FROM outbox WHERE dirty_since IS NOT NULL") == 0 })
	b := newTab(s, browser)
	b.goTo("/organizations")
	b.run(chromedp.SendKeys(chromedp.CSS("#q"), "sons\r"), chromedp.WaitNotPresent(chromedp.Search(`//tr[@data-key="b"]`)))
	b.click("Acme Roofing & Sons")
	b.sees("1 synced of 1")
	b.click("Compare with Clerk")
	b.sees("They are the same.", "Clerk now")
	b.click("Push again")
	b.sees("It is marked", "2 synced of 2") // without another click
}

func breakerLive(s *stage, browser context.Context) {
	s.work()
	s.until("a process is seen", func() bool { return s.count("SELECT count(*) FROM process") == 1 })
	watcher, actor := newTab(s, browser), newTab(s, browser)
	watcher.goTo("/")
	watcher.sees("All is well")
	watcher.run(chromedp.Evaluate[chromedp.Void](`window.unloaded = false; document.querySelector("#figures").open = true;
		document.querySelector("#figures summary").focus(); scrollTo(0, 100); ({})`))

	actor.goTo("/")
	actor.click("Breaker…")
	actor.run(chromedp.SendKeys(chromedp.CSS("#reason"), "moving house"))
	actor.click("Open the breaker")
	actor.sees("The breaker is open: nothing is pushed until it is closed.", "by ada from 127.0.0.1")
	watcher.sees("ada (127.0.0.1) opened the breaker: nothing is pushed until somebody closes it.", "moving house")
	actor.click("Breaker…")
	actor.click("Close the breaker…")
	actor.sees("Close the breaker?", "moving house", "ada (127.0.0.1) opened it (moving house)")
	actor.click("Close the breaker")
	watcher.sees("All is well")

	kept := ask(watcher, chromedp.Evaluate[string](`[window.unloaded, document.querySelector("#figures").open,
		document.activeElement.nodeName, scrollY].join(" ")`))
	if want := "false true SUMMARY 100"; kept != want {
		s.t.Errorf("refreshing left %q, want %q", kept, want)
	}
	watcher.evaluate(`window.fetch = () => Promise.resolve(new Response("<p>Log in"))`)
	watcher.sees("Not refreshed since", "the answer was another page.")
	watcher.run(chromedp.Evaluate[chromedp.Void](`window.fetch = () => Promise.reject(new TypeError("gone")); ({})`))
	watcher.sees("Not refreshed since", "there is no answer.")
	watcher.run(chromedp.Click(chromedp.CSS("#live")))
	watcher.sees("Paused, as of")
}

func checkAndRepair(s *stage, browser context.Context) {
	s.create("a", "A")
	s.work()
	s.until("it is pushed", func() bool { return s.count("SELECT count(*) FROM outbox WHERE dirty_since IS NOT NULL") == 0 })
	s.clerk.EditMetadata("org_a", []byte(`{"certification_tier": "MASTER_ROOFER"}`), nil)
	b := newTab(s, browser)
	b.goTo("/drift")
	b.click("Check now")
	b.sees("A check was asked for", "1 drifted (1 changed at Clerk", `"MASTER_ROOFER" for "CERTIFIED"`)
	b.click("Check and repair…")
	b.sees("The last check found 1 organization that differed.")
	b.click("Check and repair")
	b.sees("handed over")
	s.until("Clerk is put right", func() bool {
		at, _ := s.clerk.Organization("org_a")
		return strings.Contains(string(at.PublicMetadata), `"CERTIFIED"`)
	})
}

// withoutJavaScript can do the same, with a click more.
func withoutJavaScript(s *stage, browser context.Context) {
	s.park("park 422", "a", "b")
	b := newTab(s, browser, withoutScripts)
	b.goTo("/parked")
	b.click("Redrive all 2…")
	b.click("Redrive 2 organizations")
	b.sees("2 organizations are on their way again.", "Nothing was given up on.", "Refresh")
	if strings.Contains(b.text(), "Live") {
		s.t.Error("a page that does not refresh itself says that it is live")
	}
	b.goTo("/breaker")
	b.run(chromedp.SendKeys(chromedp.CSS("#reason"), "moving house"))
	b.click("Open the breaker")
	b.sees("ada (127.0.0.1) opened it (moving house)")
	if _, err := s.sync.Outbox().Close(s.t.Context(), s.pool, s.waker, claimsync.Topic); err != nil {
		s.t.Fatal(err)
	}
	b.run(chromedp.Click(chromedp.CSS("#refresh")))
	b.sees("Breaker closed")
}

// typingIsLeftAlone: what is typed stays, whatever happens meanwhile.
func typingIsLeftAlone(s *stage, browser context.Context) {
	writer, witness := newTab(s, browser), newTab(s, browser)
	writer.goTo("/breaker")
	writer.run(chromedp.SendKeys(chromedp.CSS("#reason"), "because"))
	witness.goTo("/breaker")
	if got := s.request("POST", "/breaker/open", url.Values{"reason": {"elsewhere"}}); got.status != 303 {
		s.t.Fatalf("opening: %d", got.status)
	}
	witness.sees("Breaker: open")
	typed := ask(writer, chromedp.Evaluate[string](`(document.querySelector("#reason") || {value: "gone"}).value`))
	if typed != "because" {
		s.t.Errorf("what was typed is %q", typed)
	}
}
