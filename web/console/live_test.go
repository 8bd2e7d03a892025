package console_test

import (
	"context"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/claimsync/claimsync"
	"github.com/claimsync/claimsync/clerk/clerktest"
)

// TestLive is what a page does, and does not do, while somebody looks at it.
func TestLive(t *testing.T) {
	t.Parallel()
	browser := startBrowser(t)
	for name, path := range map[string]func(*stage, context.Context){
		"an action keeps the focus": actionKeepsFocus, "the breaker's link keeps the focus": breakerKeepsFocus,
		"a drift check keeps the focus": driftKeepsFocus, "waiting is said": waitingIsSaid,
		"an answer is not live": answerIsNotLive, "what was done is heard": doneIsHeard,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path(newStage(t), browser)
		})
	}
}

func (b *tab) evaluate(script string) string {
	b.t.Helper()
	return ask(b, chromedp.Evaluate[string]("String("+script+")"))
}

// focus focuses what has the text, and remembers which element that was.
func (b *tab) focus(text string) {
	b.t.Helper()
	b.evaluate(`[...document.querySelectorAll("main a, main button")].forEach(e => {
		if (e.textContent === "` + text + `") { e.focus(); window.focused = document.activeElement; } })`)
	b.isFocused(text)
}

// isFocused checks that the same element has the focus still, and says the same.
func (b *tab) isFocused(text string) {
	b.t.Helper()
	got := b.evaluate(`[document.activeElement === window.focused, document.activeElement.textContent].join(" ")`)
	if want := "true " + text; got != want {
		b.t.Errorf("the focus is %q, want %q", got, want)
	}
}

// actionKeepsFocus: what comes and goes beside a button does not make it another.
func actionKeepsFocus(s *stage, browser context.Context) {
	s.create("a", "A")
	b := newTab(s, browser)
	b.goTo("/organizations/a")
	b.focus("Push again")
	s.exec("UPDATE outbox SET job_id = NULL, parked_at = clock_timestamp(), parked_reason = 'park 422', failures = 1")
	b.sees("A parked", "Redrive")
	b.isFocused("Push again")
	if got := b.evaluate("document.activeElement.form.action"); !strings.HasSuffix(got, "/organizations/a/push") {
		s.t.Errorf("the focused button leads to %s", got)
	}
	s.exec("UPDATE outbox SET parked_at = NULL, parked_reason = NULL")
	b.sees("A dirty")
	b.isFocused("Push again")
	if got := b.evaluate("document.activeElement.form.action"); !strings.HasSuffix(got, "/organizations/a/push") {
		s.t.Errorf("the focused button leads to %s", got)
	}
}

func breakerKeepsFocus(s *stage, browser context.Context) {
	b := newTab(s, browser)
	b.goTo("/")
	b.focus("Breaker…")
	if _, err := s.sync.Outbox().Open(s.t.Context(), s.pool, s.waker, claimsync.Topic, "moving house"); err != nil {
		s.t.Fatal(err)
	}
	b.sees("Breaker open since")
	b.isFocused("Breaker…")
	if got := b.evaluate("document.activeElement.href"); !strings.HasSuffix(got, "/breaker") {
		s.t.Errorf("the focused link leads to %s", got)
	}
}

func driftKeepsFocus(s *stage, browser context.Context) {
	s.create("a", "A")
	b := newTab(s, browser)
	b.goTo("/drift")
	b.focus("Check now")
	if _, err := s.sync.RequestDriftCheck(s.t.Context(), false); err != nil {
		s.t.Fatal(err)
	}
	b.sees("A check was asked for at")
	b.isFocused("Check now")
	got := b.evaluate(`document.activeElement.ariaDisabled + " " + document.querySelector("#status").textContent`)
	if got != "true A check was asked for." {
		s.t.Errorf("while a check is asked for: %q", got)
	}
	s.work()
	b.sees("Clerk was last compared with Postgres at")
	b.isFocused("Check now")
}

// waitingIsSaid: a page that stands still does not look as if it were live.
func waitingIsSaid(s *stage, browser context.Context) {
	s.create("a", "A")
	b := newTab(s, browser)
	b.goTo("/organizations")
	b.evaluate(`getSelection().selectAllChildren(document.querySelector("h1"))`)
	b.sees("Waiting: something is selected, as of", "UTC.")
	before := b.evaluate(`document.querySelector("h1").getBoundingClientRect().top`)
	b.evaluate(`getSelection().removeAllRanges()`)
	b.isSilent()
	// Two of one key are two still.
	if got := b.evaluate(`(() => {
		const list = (one, other) => {
			const ul = document.createElement("ul");
			ul.innerHTML = "<li data-key='a'>" + one + "</li><li data-key='a'>" + other + "</li>";
			return ul;
		};
		const shown = list(1, 2);
		morph(shown, list(3, 4));
		return shown.textContent;
	})()`); got != "34" {
		s.t.Errorf("refreshed, two rows of one key are %q", got)
	}
	if after := b.evaluate(`document.querySelector("h1").getBoundingClientRect().top`); after != before {
		s.t.Errorf("what is selected moves from %s to %s", before, after)
	}
	b.evaluate(`document.querySelector("#q").focus()`)
	b.sees("Waiting: a field has the focus, as of")
	b.evaluate(`document.activeElement.blur()`)
	b.isSilent()
	b.evaluate(`document.querySelector("#q").value = "as a browser restores it"`)
	b.sees("Waiting: something is typed, as of")
	b.run(chromedp.Click(chromedp.CSS("#live")))
	b.sees("Paused, as of")
	got := b.evaluate(`document.querySelector("#live").textContent + " " + document.querySelector("#live").ariaPressed`)
	if got != "Live false" {
		s.t.Errorf("the button is %q", got)
	}
}

// isSilent waits until nothing is said of refreshing, by an element that is there to say it.
func (b *tab) isSilent() {
	b.t.Helper()
	b.run(chromedp.WaitNotPresent(chromedp.CSS("#stale:not(:empty)")))
	if got := b.evaluate(`getComputedStyle(document.querySelector("#stale")).display`); got != "block" {
		b.t.Errorf("the region for what is said is %s", got)
	}
}

// answerIsNotLive: what a POST shows cannot be got again, so nothing tries to.
func answerIsNotLive(s *stage, browser context.Context) {
	s.create("a", "A")
	b := newTab(s, browser)
	still := func(what string) {
		s.t.Helper()
		if got := b.evaluate(`document.querySelector("main[data-live], #live, #refresh") === null`); got != "true" {
			s.t.Errorf("%s is live", what)
		}
	}
	b.goTo("/organizations/a")
	b.click("Compare with Clerk")
	b.sees("They differ.")
	still("a comparison")
	s.clerk.SetFaults(clerktest.Fault{Effect: clerktest.Answer, Status: 503})
	b.goTo("/organizations/a")
	b.click("Compare with Clerk")
	b.sees("Clerk could not be asked:")
	still("a comparison that failed")
	b.goTo("/breaker")
	b.run(chromedp.SendKeys(chromedp.CSS("#reason"), " "))
	b.click("Open the breaker")
	b.sees("Say why")
	still("a breaker without a reason")
}

func doneIsHeard(s *stage, browser context.Context) {
	s.create("a", "A")
	b := newTab(s, browser)
	b.goTo("/organizations/a")
	b.click("Push again")
	b.sees("It is marked")
	if got := b.evaluate("document.activeElement.className"); got != "said" {
		s.t.Errorf("after an action the focus is on %q", got)
	}
}
