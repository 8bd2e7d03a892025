package console

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/claimsync/claimsync"
)

// notice is what an action has to say on the next page: one of a few sentences, and a number. It travels in a cookie, which a
// link cannot set, and whose text is nobody's to choose.
type notice struct {
	code string
	n    int64
}

// sentences by code; an N is the number, and a "|" is between what is said of one and of more.
var sentences = map[string]string{
	"pushed":          "It is marked: a worker pushes it within moments.",
	"same":            "It was recalculated, and its claims are as they were.",
	"changed":         "It was recalculated: its claims have changed, and are on their way.",
	"redriven":        "One organization is on its way again.|N organizations are on their way again.",
	"redriven_none":   "Nothing of that was parked any more.",
	"redriven_partly": "The time was up after one organization. Redrive the others too.|The time was up after N organizations. Redrive the others too.",
	"opened":          "The breaker is open: nothing is pushed until it is closed.",
	"opened_before":   "A person had opened the breaker already.",
	"closed":          "The breaker is closed.",
	"closed_before":   "The breaker was closed already, and Clerk asked for no wait.",
	"wait_ended":      "The wait that Clerk asked for is ended.",
	"resumed":         "The queue is resumed.",
	"not_paused":      "It is not paused by hand any more.",
	"drift_asked":     "A check was asked for: some process begins within seconds.",
	"drift_already":   "A check was asked for already, or is under way.",
}

const noticeCookie = "claimsync_notice"

func (n notice) String() string {
	one, more, both := strings.Cut(sentences[n.code], "|")
	if !both || n.n == 1 {
		return one
	}
	return strings.Replace(more, "N", claimsync.Count{N: n.n}.String(), 1)
}

// leaveNotice leaves it for the next page.
func (c *console) leaveNotice(w http.ResponseWriter, n notice) {
	http.SetCookie(w, &http.Cookie{
		Name: noticeCookie, Value: n.code + "." + strconv.FormatInt(n.n, 10), Path: c.path("/"), MaxAge: 60,
		HttpOnly: true, SameSite: http.SameSiteStrictMode,
	})
}

// refreshHeader is on what our script gets by itself. Sec-Fetch-Mode would tell as much, but plain HTTP has none.
const refreshHeader = "Claimsync-Refresh"

// isNavigation is whether somebody went to the page, as far as can be told.
func isNavigation(r *http.Request) bool {
	mode := r.Header.Get("Sec-Fetch-Mode")
	return r.Header.Get(refreshHeader) == "" && (mode == "" || mode == "navigate")
}

// takeNotice returns what was left, "" for nothing, and removes it. What another tab gets in the background leaves it
// to the page that is meant.
func (c *console) takeNotice(w http.ResponseWriter, r *http.Request) string {
	cookie, err := r.Cookie(noticeCookie)
	if err != nil || !isNavigation(r) {
		return ""
	}
	http.SetCookie(w, &http.Cookie{
		Name: noticeCookie, Path: c.path("/"), MaxAge: -1, HttpOnly: true, SameSite: http.SameSiteStrictMode,
	})
	code, number, _ := strings.Cut(cookie.Value, ".")
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n < 0 {
		return ""
	}
	return notice{code, n}.String()
}
