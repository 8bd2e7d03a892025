package console

import (
	"fmt"
	"html/template"
	"net/url"
	"strings"
	"time"

	"github.com/claimsync/claimsync"
	"github.com/claimsync/claimsync/outbox"
)

// words are the functions of the templates.
func (c *console) words(files *assets) template.FuncMap {
	return template.FuncMap{
		"asset":        files.path,
		"path":         c.path,
		"jobs":         func() string { return c.config.JobsPath },
		"job":          func(id int64) jobLink { return jobLink{id, c.config.JobsPath} },
		"organization": func(id string) string { return c.path(organizationPath(id)) },
		"target":       targetOf,
		"parkedFor":    func(reason string) string { return c.path(parkedPath(reason, "")) },
		"redrive": func(reason string) string {
			return c.path(pathWith("/parked/redrive", url.Values{"reason": {reason}}))
		},
		"count":        func(n int) string { return claimsync.Count{N: int64(n)}.String() },
		"count64":      func(n int64) string { return claimsync.Count{N: n}.String() },
		"figure":       figure,
		"percent":      func(share float64) string { return fmt.Sprintf("%.0f %%", 100*share) },
		"milliseconds": func(d time.Duration) string { return fmt.Sprintf("%d ms", d.Milliseconds()) },
		"clock":        func(t time.Time) string { return t.UTC().Format("15:04") },
		"words":        inWords,
		"outcomeClass": outcomeClass,
	}
}

// jobLink is a job, and where River UI shows it.
type jobLink struct {
	ID   int64
	Path string // of all jobs; "": nowhere
}

// inWords is a word of a closed set, such as MASTER_ROOFER, for people.
func inWords(word any) string {
	return strings.ReplaceAll(strings.ToLower(fmt.Sprint(word)), "_", " ")
}

func outcomeClass(delivery outbox.Delivery) string {
	switch {
	case delivery.Outcome == string(outbox.Park):
		return "bad"
	case outbox.Activity{Outcome: delivery.Outcome}.Failed():
		return "poor"
	default:
		return "good"
	}
}

func organizationPath(id string) string { return "/organizations/" + url.PathEscape(id) }
