package console

import (
	"context"
	"net/http"

	"github.com/claimsync/claimsync"
	"github.com/claimsync/claimsync/jobs"
)

// Patterns are what the console is to be mounted at.
var Patterns = []string{
	"/{$}", "/organizations", "/organizations/", "/parked", "/parked/", "/drift", "/drift/", "/operators",
	"/breaker", "/breaker/", "/queue/", assetsPath,
}

// policy: all is from here, and nothing is inline.
const policy = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// console holds what the pages share. It has no state.
type console struct {
	config Config
	sync   *claimsync.Sync
	waker  jobs.Waker
	mux    *http.ServeMux
	pages  templates
}

// New returns the handler of all pages. The error is an incomplete configuration.
func New(config Config) (http.Handler, error) {
	config, err := config.withDefaults()
	if err != nil {
		return nil, err
	}
	files := newAssets()
	c := &console{
		config: config, sync: config.Sync, waker: jobs.NewWaker(config.River), mux: http.NewServeMux(),
		pages: newTemplates(files, config.JobsPath),
	}
	c.mux.Handle("GET "+assetsPath, files)
	c.routes()
	return c, nil
}

func (c *console) routes() {
	for pattern, view := range map[string]view{
		"GET /{$}":                c.overview,
		"GET /organizations":      c.organizations,
		"GET /organizations/{id}": c.organization,
		"GET /parked":             c.parked,
		"GET /parked/redrive":     c.redriveQuestion,
		"GET /drift":              c.drift,
		"GET /drift/repair":       c.repairQuestion,
		"GET /operators":          c.operators,
		"GET /breaker":            c.breaker,
		"GET /breaker/close":      c.closeQuestion,
		"GET /queue/resume":       c.resumeQuestion,
		// Not with a redirect: what it shows is nowhere else.
		"POST /organizations/{id}/compare": c.compare,
	} {
		c.mux.Handle(pattern, c.show(view))
	}
	for pattern, act := range map[string]action{
		"POST /organizations/{id}/push":        c.push,
		"POST /organizations/{id}/recalculate": c.recalculate,
		"POST /organizations/{id}/redrive":     c.redrive,
		"POST /parked/redrive":                 c.redriveAll,
		"POST /drift/check":                    c.checkDrift,
		"POST /drift/repair":                   c.repairDrift,
		"POST /breaker/open":                   c.openBreaker,
		"POST /breaker/close":                  c.closeBreaker,
		"POST /queue/resume":                   c.resumeQueue,
	} {
		c.mux.Handle(pattern, c.do(act))
	}
	// Where a reload leads that was meant for a page.
	for pattern, to := range map[string]string{
		"GET /drift/check": "/drift", "GET /breaker/{action}": "/breaker", "GET /queue/{action}": "/",
	} {
		c.mux.Handle(pattern, http.RedirectHandler(to, http.StatusSeeOther))
	}
	c.mux.HandleFunc("GET /organizations/{id}/{action}", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, organizationPath(r.PathValue("id")), http.StatusSeeOther)
	})
}

func (c *console) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Security-Policy", policy)
	if _, pattern := c.mux.Handler(r); pattern == "" {
		c.fail(w, r, errNoPage)
		return
	}
	c.mux.ServeHTTP(w, r)
}

// view is what makes a page.
type view func(*http.Request) (*page, error)

// show bounds the view's time and answers with its page, or for its failure.
func (c *console) show(view view) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), c.config.RequestTimeout)
		defer cancel()
		r = r.WithContext(ctx)
		shown, err := view(r)
		if err != nil {
			c.fail(w, r, err)
			return
		}
		shown.Said = takeNotice(w, r)
		c.write(w, r, http.StatusOK, shown)
	})
}

// maxForm bounds what is posted: a reason, at most.
const maxForm = 64 << 10

// action does something, and returns where to go then and what to say there. What wants to be asked about first returns the
// page of its question instead.
type action func(*http.Request) (*outcome, error)

type outcome struct {
	to       string
	notice   notice
	question *page // nil: it was done
}

// do bounds the action's time, and has the browser go on with a GET, so that a reload does not do it again.
func (c *console) do(act action) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), c.config.FanOutTimeout+c.config.RequestTimeout/4)
		defer cancel()
		r = r.WithContext(ctx)
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		if err := r.ParseForm(); err != nil {
			c.fail(w, r, errForm)
			return
		}
		done, err := act(r)
		switch {
		case err != nil:
			c.fail(w, r, err)
		case done.question != nil:
			c.write(w, r, http.StatusOK, done.question)
		default:
			leaveNotice(w, done.notice)
			http.Redirect(w, r, done.to, http.StatusSeeOther)
		}
	})
}

// confirmed is whether the question was answered.
func confirmed(r *http.Request) bool { return r.PostFormValue("confirm") == "yes" }
