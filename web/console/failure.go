package console

import (
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"

	"github.com/claimsync/claimsync"
	"github.com/claimsync/claimsync/clerk"
	"github.com/claimsync/claimsync/db"
	"github.com/claimsync/claimsync/scoring"
)

// refusal is the answer to a request that failed, in words. It is also an error, for a view or an action to return.
type refusal struct {
	Status int
	Title  string
	Text   string
	Again  bool // the same may succeed later
}

func (f *refusal) Error() string { return f.Title + ": " + f.Text }

var (
	errNoPage = &refusal{http.StatusNotFound, "There is no such page", "The link is wrong, or it is of another version.", false}
	errForm   = &refusal{http.StatusBadRequest, "That was not understood", "What was sent is not what our pages send.", false}
)

// refusalOf decides how a failure is answered. What is not known here is our fault, and keeps its details to itself.
func refusalOf(err error) *refusal {
	if known, ok := errors.AsType[*refusal](err); ok {
		return known
	}
	if failed, ok := errors.AsType[*clerk.Error](err); ok {
		return &refusal{http.StatusServiceUnavailable, "Clerk could not be asked", failed.Error(), true}
	}
	switch {
	case errors.Is(err, scoring.ErrNotFound):
		return &refusal{http.StatusNotFound, "There is no such organization",
			"None has this id, here or at Clerk. It may have been deleted.", false}
	case errors.Is(err, claimsync.ErrUnlinked):
		return &refusal{http.StatusConflict, "It is not linked to Clerk", "There is nothing to push to, or to compare with.", false}
	case errors.Is(err, claimsync.ErrDamagedCursor), errors.Is(err, claimsync.ErrOtherListing):
		return &refusal{http.StatusBadRequest, "There is no such page", "The link is damaged. Begin with the first page.", false}
	case db.IsUnavailable(err):
		return &refusal{http.StatusServiceUnavailable, "The database does not answer",
			"Nothing can be said until it does. Changes are neither accepted nor pushed meanwhile, and none is lost.", true}
	default:
		return &refusal{http.StatusInternalServerError, "This failed",
			"It failed for a reason that is not yours. It has been logged.", false}
	}
}

// fail answers for a failure, and logs what is not the client's doing.
func (c *console) fail(w http.ResponseWriter, r *http.Request, err error) {
	refused := refusalOf(err)
	if refused.Again {
		w.Header().Set("Retry-After", "2")
	}
	if refused.Status >= http.StatusInternalServerError && r.Context().Err() == nil {
		level := slog.LevelError
		if refused.Again {
			level = slog.LevelWarn
		}
		c.config.Logger.Log(r.Context(), level, "Console failed", "method", r.Method, "route", r.Pattern, "err", err)
	}
	body := &failurePage{refusal: refused}
	if r.Method == http.MethodPost {
		body.Undone = undone(refused)
		if refused != errNoPage {
			body.Back = c.backFrom(r)
		}
	}
	c.write(w, r, refused.Status, &page{name: "failure", Title: refused.Title, Body: body})
}

type failurePage struct {
	*refusal
	Undone string // what became of what was asked for; "": nothing was
	Back   string // where it can be asked for once more; "": nowhere
}

// undone: where an answer is missing, what was asked for may have been done for all that.
func undone(refused *refusal) string {
	if refused.Status < http.StatusInternalServerError {
		return "It was not done."
	}
	return "It was not done, or not to its end: look before you do it again."
}

// backFrom is the page from which the request was sent, with the reason that it was about, and without the
// confirmation. A link to where the request went, and no more, would ask for another thing: for all reasons, say.
func (c *console) backFrom(r *http.Request) string {
	path, reason := strings.TrimPrefix(r.URL.EscapedPath(), c.config.Prefix), fitForQuery(r.PostFormValue("reason"))
	switch {
	case path == "/breaker/open":
		path, reason = "/breaker", reasonOf(reason)
	case r.PostFormValue("from") == "parked":
		return "/parked"
	}
	if reason == "" {
		return path
	}
	return pathWith(path, url.Values{"reason": {reason}})
}
