package console

import (
	"context"
	"net/http"

	"github.com/claimsync/claimsync"
	"github.com/claimsync/claimsync/internal/operator"
	"github.com/claimsync/claimsync/jobs"
)

// Patterns returns what the console is to be mounted at, below its prefix.
func Patterns() []string {
	return []string{
		"/{$}", "/organizations", "/organizations/", "/parked", "/parked/", "/drift", "/drift/", "/operators",
		"/breaker", "/breaker/", "/queue/", assetsPath,
	}
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
	c := &console{
		config: config, sync: config.Sync, waker: jobs.NewWaker(config.River), mux: http.NewServeMux(),
	}
	files := newAssets(config.Prefix)
	c.pages = newTemplates(c.words(files))
	c.get(assetsPath, files)
	c.routes()
	return c, nil
}

func (c *console) routes() {
	for path, view := range map[string]view{
		"/{$}":                c.overview,
		"/organizations":      c.organizations,
		"/organizations/{id}": c.organization,
		"/parked":             c.parked,
		"/parked/redrive":     c.redriveQuestion,
		"/drift":              c.drift,
		"/drift/repair":       c.repairQuestion,
		"/operators":          c.operators,
		"/breaker":            c.breaker,
		"/breaker/close":      c.closeQuestion,
		"/queue/resume":       c.resumeQuestion,
	} {
		c.get(path, c.show(view))
	}
	for path, act := range map[string]action{
		"/organizations/{id}/push":        c.push,
		"/organizations/{id}/recalculate": c.recalculate,
		"/organizations/{id}/redrive":     c.redrive,
		"/parked/redrive":                 c.redriveAll,
		"/drift/check":                    c.checkDrift,
		"/drift/repair":                   c.repairDrift,
		"/breaker/open":                   c.openBreaker,
		"/breaker/close":                  c.closeBreaker,
		"/queue/resume":                   c.resumeQueue,
	} {
		c.post(path, c.do(act))
	}
	// Not with a redirect: what it shows is nowhere else.
	c.post("/organizations/{id}/compare", c.show(c.compare))
	// Where a reload leads that was meant for a page.
	for path, to := range map[string]string{
		"/drift/check": "/drift", "/breaker/{action}": "/breaker", "/queue/{action}": "/",
	} {
		c.get(path, http.RedirectHandler(c.path(to), http.StatusSeeOther))
	}
	c.get("/organizations/{id}/{action}", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, c.path(organizationPath(r.PathValue("id"))), http.StatusSeeOther)
	}))
}

// path is where a path of ours is seen from outside. What is below the prefix is so at the rim alone: in a template, a
// redirect, a route.
func (c *console) path(path string) string { return c.config.Prefix + path }

func (c *console) get(path string, handler http.Handler) { c.mux.Handle("GET "+c.path(path), handler) }

func (c *console) post(path string, handler http.Handler) {
	c.mux.Handle("POST "+c.path(path), handler)
}

func (c *console) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Security-Policy", policy)
	if _, pattern := c.mux.Handler(r); pattern == "" {
		c.fail(w, r, errNoPage)
		return
	}
	if c.config.Operator != nil {
		r = operator.Named(r, c.config.Operator(r))
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
		shown.Said = c.takeNotice(w, r)
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
			c.leaveNotice(w, done.notice)
			http.Redirect(w, r, c.path(done.to), http.StatusSeeOther)
		}
	})
}

// confirmed is whether the question was answered.
func confirmed(r *http.Request) bool { return r.PostFormValue("confirm") == "yes" }
