package console_test

import (
	"context"
	"encoding/base64"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// startBrowser starts one for the test, with room for any number of tabs. It skips the test where there is none to start,
// unless CLAIMSYNC_BROWSER=required.
func startBrowser(t *testing.T) context.Context {
	t.Helper()
	program := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			program = found
			break
		}
	}
	switch {
	case program != "":
	case os.Getenv("CLAIMSYNC_BROWSER") == "required":
		t.Fatal("CLAIMSYNC_BROWSER=required, but there is none on the PATH: install chromium")
	default:
		t.Skip("there is no browser on the PATH, so nothing is clicked: install chromium")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(program))
	if os.Getuid() == 0 {
		options = append(options, chromedp.NoSandbox) // root may not have one
	}
	allocator, end := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(end)
	ctx, cancel := chromedp.NewContext(allocator)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal(err)
	}
	return ctx
}

// tab is a person at a browser, logged in as operator.
type tab struct {
	t   *testing.T
	ctx context.Context
	url string
}

func newTab(s *stage, browser context.Context, before ...chromedp.Action[chromedp.Void]) *tab {
	s.t.Helper()
	ctx, cancel := chromedp.NewContext(browser, chromedp.WithNewBrowserContext(), chromedp.WithListener(func(event any) {
		if thrown, ok := event.(*runtime.EventExceptionThrown); ok {
			s.t.Errorf("an exception in the page: %+v", thrown.ExceptionDetails)
		}
	}))
	s.t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil { // not in run: its deadline would be the tab's
		s.t.Fatal(err)
	}
	b := &tab{t: s.t, ctx: ctx, url: s.url}
	b.run(command(network.SetExtraHTTPHeaders, network.SetExtraHTTPHeadersParams{Headers: network.Headers{
		"Authorization": "Basic " + base64.StdEncoding.EncodeToString([]byte(operator+":"+token)),
	}}))
	b.run(before...)
	return b
}

// command is a command of the protocol as an action.
func command[P any](c cdp.Command[P, cdp.Empty], params P) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, c, params)
		return err
	})
}

var withoutScripts = command(emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})

func (b *tab) run(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, 30*time.Second)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		b.t.Fatalf("%v; the page says:\n%s", err, b.text())
	}
}

// ask returns what the action finds.
func ask[T any](b *tab, action chromedp.Action[T]) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, 30*time.Second)
	defer cancel()
	found, err := chromedp.Run(ctx, action)
	if err != nil {
		b.t.Fatalf("%v; the page says:\n%s", err, b.text())
	}
	return found
}

// goTo opens a page.
func (b *tab) goTo(path string) {
	b.t.Helper()
	b.run(chromedp.Navigate(b.url + path))
}

// click presses the button, or follows the link, that has the text.
func (b *tab) click(text string) {
	b.t.Helper()
	b.run(chromedp.Click(chromedp.Search(`//main//*[self::a or self::button][normalize-space()="` + text + `"]`)))
}

// text is what can be read.
func (b *tab) text() string {
	ctx, cancel := context.WithTimeout(b.ctx, 5*time.Second)
	defer cancel()
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string]("document.body ? document.body.innerText : ''"))
	if err != nil {
		return err.Error() // in the middle of a navigation, perhaps
	}
	return strings.Join(strings.Fields(text), " ")
}

// sees waits for the text.
func (b *tab) sees(texts ...string) {
	b.t.Helper()
	for _, text := range texts {
		for deadline := time.Now().Add(30 * time.Second); !strings.Contains(b.text(), text); time.Sleep(20 * time.Millisecond) {
			if time.Now().After(deadline) {
				b.t.Fatalf("the page does not come to say %q, but:\n%s", text, b.text())
			}
		}
	}
}
