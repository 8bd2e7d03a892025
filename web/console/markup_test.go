package console_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/claimsync/claimsync"
)

var (
	tableTag = regexp.MustCompile(`<(table|thead|tbody|tr|th|td)( [^>]*)?>`)
	postTag  = regexp.MustCompile(`<form [^>]*method="post"[^>]*>`)
	liveTag  = regexp.MustCompile(`<[a-z]+[^>]*(role="(status|alert)"|aria-live)[^>]*>[^<]*`)
)

// TestMarkup: tables are tables also where the style makes blocks of them, forms are known by a key, and nothing that
// is said aloud has a time that ticks.
func TestMarkup(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.setBroken()
	paths := []string{
		"/", "/organizations", "/organizations?q=otago", "/organizations/o1", "/organizations/p1", "/parked",
		"/parked/redrive", "/drift", "/drift/repair", "/operators", "/breaker", "/breaker/close", "/queue/resume",
	}
	tags := 0
	for _, path := range paths {
		page := s.get(path)
		for _, tag := range tableTag.FindAllString(page, -1) {
			tags++
			if !strings.Contains(tag, ` role="`) {
				t.Errorf("GET %s: %s has no role, perhaps among others", path, tag)
				break
			}
		}
		for _, tag := range postTag.FindAllString(page, -1) {
			if !strings.Contains(tag, ` data-key="`) {
				t.Errorf("GET %s: %s has no key", path, tag)
			}
		}
		for _, said := range liveTag.FindAllString(page, -1) {
			_, text, _ := strings.Cut(said, ">")
			if strings.ContainsAny(text, "0123456789") || strings.Contains(said, "<h1") {
				t.Errorf("GET %s: what is said aloud changes all the time: %s", path, said)
			}
		}
		if !strings.Contains(page, `<div id="stale" role="status"></div>`) {
			t.Errorf("GET %s has no region for what is said of refreshing", path)
		}
	}
	if tags == 0 {
		t.Error("there are no tables")
	}
}

// TestAnnounced: the verdict is said aloud without figures, so that it is not said again every two seconds.
func TestAnnounced(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	announced := func(want string) {
		t.Helper()
		if page := s.get("/"); !strings.Contains(page, `<p id="status" class="hidden" role="status">`+want+`</p>`) {
			t.Errorf("the overview does not say %q aloud, but shows:\n%s", want, textOf(page))
		}
	}
	announced("Act: No process is alive: nothing is pushed until an app serve runs.")
	s.exec("INSERT INTO process (id, hostname, pid, version) VALUES (gen_random_uuid(), 'here', 1, 'v1')")
	announced("Good: all is well.")
	s.park("park 422", "b")
	announced("Watch: organizations were given up on.")
	s.create("a", "A")
	s.exec("UPDATE outbox SET dirty_since = now() - interval '10 minutes', marked_priority = 1 WHERE key = 'org_a'")
	announced("Act: the oldest change has waited for too long.")
	if _, err := s.sync.Outbox().Open(t.Context(), s.pool, s.waker, claimsync.Topic, "moving"); err != nil {
		t.Fatal(err)
	}
	announced("Act: A person opened the breaker: nothing is pushed until somebody closes it.")
}

// TestWords: what is shown claims no order that is not, and no time that has passed for one to come.
func TestWords(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.has(s.get("/organizations?state=dirty"), "Dirty, oldest first")
	if text := textOf(s.get("/organizations?state=dirty&q=acme")); strings.Contains(text, "oldest first") {
		t.Errorf("what was searched for claims to be by age: %s", text)
	}
	s.exec(`INSERT INTO destination (topic, opened_at, open_cause, open_reason, probe_at)
		VALUES ($1, now() - interval '1 minute', 'outage', '503', now() - interval '5 s')`, claimsync.Topic)
	for _, path := range []string{"/", "/breaker", "/breaker/close"} {
		s.has(s.get(path), "0 so far, the next now.")
	}
	s.has(s.get("/drift"), "A check lists all of Clerk’s organizations")
}

// TestTargets: the log links to what can be an organization, and says all only of what was done to all.
func TestTargets(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	for _, test := range []struct{ action, target, want string }{
		{"push", "a", `<a href="/organizations/a">a</a>`},
		{"redrive", "org_A1", `<a href="/organizations/org_A1">org_A1</a>`},
		{"resync", "a", `<a href="/organizations/a">a</a>`},
		{"redrive", "a b", ">a b</td>"},
		{"recalculate", "../breaker/close", ">../breaker/close</td>"},
		{"breaker_open", "a", ">a</td>"},
		{"redrive_all", "", ">all</td>"},
		{"resync_all", "", ">all</td>"},
		{"recalculate_all", "", ">all</td>"},
		{"redrive_all", "park 422", ">park 422</td>"},
		{"breaker_close", "", `<span class="none">–</span></td>`},
		{"drift_check", "", `<span class="none">–</span></td>`},
	} {
		s.exec("DELETE FROM operator_action")
		s.exec("INSERT INTO operator_action (operator, origin, action, target) VALUES ('ada', '::1', $1, $2)",
			test.action, test.target)
		if page := s.get("/operators"); !strings.Contains(page, test.want) {
			t.Errorf("%s on %q lacks %s:\n%s", test.action, test.target, test.want, page)
		}
	}
}
