package console

import (
	"bytes"
	"embed"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/claimsync/claimsync/internal/timewords"
)

// page is one page, for its template.
type page struct {
	name    string // of its template
	Title   string
	Section string // which of the navigation it belongs to: its path
	Live    bool   // it is worth refreshing; only what was got is
	Status  string // what is said aloud whenever it is another; "": nothing
	Said    string // what an action on the page before had to say
	Now     time.Time
	Body    any
}

// At is a time on the page; the zero time and nil are none.
func (p *page) At(t any) moment {
	switch t := t.(type) {
	case time.Time:
		return moment{t, p.Now}
	case *time.Time:
		if t != nil {
			return moment{*t, p.Now}
		}
	}
	return moment{}
}

// moment is a time as it is shown.
type moment struct{ t, now time.Time }

// None is whether there is no such time.
func (m moment) None() bool { return m.t.IsZero() }

// Machine is for the attribute datetime.
func (m moment) Machine() string { return m.t.UTC().Format(time.RFC3339Nano) }

// Exact has all that is known.
func (m moment) Exact() string { return m.t.UTC().Format("2006-01-02 15:04:05.000000 UTC") }

// Absolute is what people compare with a log.
func (m moment) Absolute() string { return m.t.UTC().Format("2006-01-02 15:04:05 UTC") }

// Relative is as seen from now.
func (m moment) Relative() string { return timewords.FromNow(m.now, m.t) }

//go:embed templates
var templateFiles embed.FS

// templates are by the name of the page.
type templates map[string]*template.Template

// newTemplates puts each page into the layout. It panics if one is wrong: they are built in.
func newTemplates(words template.FuncMap) templates {
	layout := template.Must(template.New("layout.html").Funcs(words).
		ParseFS(templateFiles, "templates/layout.html", "templates/parts.html"))
	pages := templates{}
	names, err := fs.Glob(templateFiles, "templates/*.html")
	if err != nil {
		panic(err) // the pattern is fine
	}
	for _, file := range names {
		name := strings.TrimSuffix(path.Base(file), ".html")
		if name != "layout" && name != "parts" {
			pages[name] = template.Must(template.Must(layout.Clone()).ParseFS(templateFiles, file))
		}
	}
	return pages
}

// write sends the page, whole or not at all.
func (c *console) write(w http.ResponseWriter, r *http.Request, status int, p *page) {
	// Refreshing is getting again: what a POST shows is nowhere else.
	p.Live = p.Live && r.Method == http.MethodGet
	var body bytes.Buffer
	if err := c.pages[p.name].Execute(&body, p); err != nil {
		c.config.Logger.ErrorContext(r.Context(), "Page failed", "page", p.name, "err", err)
		http.Error(w, "This page failed. It has been logged.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = body.WriteTo(w) // the client is the only one who could be told
}

// now is the database's clock, by which everything here is measured.
func (c *console) now(r *http.Request) (time.Time, error) {
	return c.sync.Outbox().Clock(r.Context(), c.sync.Jobs().Pool)
}
