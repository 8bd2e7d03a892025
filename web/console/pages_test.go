package console_test

import (
	"fmt"
	"html"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/claimsync/claimsync"
)

// TestEmpty: every page says that there is nothing, where there is nothing.
func TestEmpty(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.has(s.get("/"), "No process is alive", "In step 0", "none waits", "Breaker closed", "not checked yet", "there were none")
	s.has(s.get("/organizations"), "There are none.")
	s.has(s.get("/organizations?state=dirty"), "nothing waits to be pushed")
	s.has(s.get("/organizations?q=acme"), "Nothing is found by “acme”")
	s.has(s.get("/parked"), "Nothing was given up on.")
	s.has(s.get("/drift"), "There was no check yet.")
	s.has(s.get("/operators"), "Nothing yet.")
	s.has(s.get("/breaker"), "Breaker: closed", "Why, for those who wonder")
}

// TestBusy: a process works, and the overview shows what it did.
func TestBusy(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	for i := range 3 {
		s.create(fmt.Sprint("o", i), fmt.Sprint("Roofers ", i))
	}
	s.work()
	s.until("all are pushed", func() bool { return s.count("SELECT count(*) FROM outbox WHERE dirty_since IS NOT NULL") == 0 })
	s.until("a process is seen", func() bool { return s.count("SELECT count(*) FROM process") == 1 })
	s.has(s.get("/"), "Good All is well: Clerk has confirmed the latest state of every linked organization.", "In step 3", "River’s queue running",
		"alive", "v1.2.3")
	page := s.get("/organizations/o1")
	s.has(page, "Roofers 1 clean", "Clerk has had its latest state since", `certification_tier "CERTIFIED" "CERTIFIED" same`,
		"1 synced of 1", "Claims as of", "applied 1 200", "insurance", "The score by category")
	if !strings.Contains(page, `href="/riverui/jobs/`) {
		t.Error("no link to the job in River UI")
	}
}

// TestPlot: 30 pushes a second are three fifths of a scale of 50, and 6 failures as much less below; both are in the table.
func TestPlot(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.exec(`INSERT INTO outbox_activity (topic, begins_at, outcome, deliveries)
		SELECT $1, date_bin('10 s', now(), 'epoch') - past, outcome::delivery_outcome, n FROM (VALUES
			(interval '10 minutes', 'applied', 300), ('20 minutes', 'outage', 60), ('30 minutes', 'verified', 1000), ('2 hours', 'applied', 1000)
		) AS v (past, outcome, n)`, claimsync.Topic)
	page := s.get("/")
	s.has(page, "at most 30 pushes a second", "50/s 25 0 25/s", " 300 1 0 ", " 0 0 60 ")
	for _, path := range []string{`V48.0H`, `V134.4H`} {
		if strings.Count(page, path) != 1 {
			t.Errorf("the plot lacks %s:\n%s", path, page)
		}
	}
}

func TestOrganizationsByState(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.create("old", "Old & Sons")
	s.create("new", "New Ltd")
	s.create("done", "Done Ltd")
	s.park("park 422", "bad")
	s.exec("INSERT INTO organizations (id, name) VALUES ('alone', 'Alone Ltd')")
	s.exec("UPDATE outbox SET dirty_since = now() - interval '1 hour' WHERE key = 'org_old'")
	s.exec("UPDATE outbox SET job_id = NULL, synced_version = desired_version, dirty_since = NULL, synced_at = now() WHERE key = 'org_done'")
	for state, want := range map[string][]string{
		"":         {"Alone Ltd unlinked", "Organization bad parked", "Done Ltd clean", "New Ltd dirty", "Old & Sons dirty"},
		"dirty":    {"Old & Sons dirty", "60 min ago", "New Ltd dirty"},
		"parked":   {"Organization bad parked park 422"},
		"clean":    {"Done Ltd clean"},
		"unlinked": {"Alone Ltd unlinked"},
	} {
		text := textOf(s.get("/organizations?state=" + state))
		for _, one := range want { // in this order
			_, rest, found := strings.Cut(text, one)
			if !found {
				t.Errorf("state %q lacks %q, or has it out of order:\n%s", state, one, text)
				break
			}
			text = rest
		}
	}
	if got := s.request("GET", "/organizations?state=odd", nil); got.status != 400 {
		t.Errorf("an unknown state: %d", got.status)
	}
}

// TestSearch: by the beginnings of words, of ids, and by a Clerk id, whatever is typed.
func TestSearch(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	for id, name := range map[string]string{
		"r1": "O'Brien Roofing", "r2": "Roof-Top Söhne GmbH", "r3": "Back\\slash & (Sons)", "x1": "Roofers' <b>Guild</b>",
	} {
		s.create(id, name)
	}
	for typed, want := range map[string]string{
		"roof":                       "r1 r2 x1",
		"ROOF bri":                   "r1",
		"o'brien":                    "r1",
		"söh":                        "r2",
		"roof-top":                   "r2",
		"r":                          "r1 r2 r3 x1", // ids, and Roofers
		"r3":                         "r3",
		"org_x1":                     "x1",
		"org_x":                      "",
		"guild":                      "x1",
		"slash":                      "r3",
		"(sons)":                     "r3",
		"'":                          "",
		"' | roof":                   "r1 r2 x1", // what is no word is not looked for
		"\\":                         "",
		"a:* | !b":                   "",
		"roof\x00":                   "r1 r2 x1",
		"roof \xff":                  "r1 r2 x1",
		"%":                          "",
		"  guild  ":                  "x1",
		strings.Repeat("roof ", 200): "r1 r2 x1",
	} {
		page := s.get("/organizations?" + url.Values{"q": {typed}}.Encode())
		var found []string
		for _, id := range []string{"r1", "r2", "r3", "x1"} {
			if strings.Contains(page, `data-key="`+id+`"`) {
				found = append(found, id)
			}
		}
		if got := strings.Join(found, " "); got != want {
			t.Errorf("searching for %q: %q, want %q", typed, got, want)
		}
	}
	page := s.get("/organizations?state=clean&q=roof")
	if strings.Contains(page, "<tr data-key") {
		t.Errorf("a search ignores the state:\n%s", page)
	}
}

// TestSearchFar: what is rare is found behind thousands of others, and what is frequent a page at a time.
func TestSearchFar(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.exec(`INSERT INTO organizations (id, name) SELECT 'a' || lpad(i::text, 5, '0'), 'Straw ' || i FROM generate_series(1, 5000) AS i`)
	s.exec(`INSERT INTO organizations (id, name, clerk_org_id) VALUES ('z9', 'Needle Ltd', 'org_needle')`)
	for _, typed := range []string{"needle", "z9", "org_needle", "ltd nee"} {
		for _, filter := range []string{"", "&state=dirty"} {
			s.has(s.get("/organizations?"+url.Values{"q": {typed}}.Encode()+filter), "Needle Ltd")
		}
	}
	if page := s.get("/organizations?q=straw"); strings.Count(page, "<tr data-key") != 50 || !strings.Contains(page, "Next page") {
		t.Errorf("what is frequent:\n%s", textOf(page))
	}
	// Among what is frequent, a rare state is looked for in several steps.
	first := s.get("/organizations?q=straw&state=dirty")
	s.has(first, "None so far: there are more to look through.", "Next page")
}

// fill adds n of everything that is shown by pages.
func (s *stage) fill(n int) {
	s.t.Helper()
	s.exec(`INSERT INTO organizations (id, name, clerk_org_id) SELECT 'o'||i, 'Roofers '||i, 'org_o'||i FROM generate_series(1, $1) AS i`, n)
	s.exec(`INSERT INTO outbox (topic, key, desired_version, synced_version, dirty_since, parked_at, parked_reason)
		SELECT 'clerk_organization', 'org_o'||i, 1, 0, now(), now() - i * interval '1 s', 'park 422' FROM generate_series(1, $1) AS i`, n)
	s.exec(`INSERT INTO outbox_delivery (topic, key, version, outcome, duration)
		SELECT 'clerk_organization', 'org_o1', i, 'retry', interval '1 s' FROM generate_series(1, $1) AS i`, n)
	s.exec(`INSERT INTO operator_action (operator, origin, action, target) SELECT 'ada', '::1', 'push', 'o'||i FROM generate_series(1, $1) AS i`, n)
}

// TestPages: whoever follows the links to the next page sees all, and each once.
func TestPages(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	const n = 120
	s.fill(n)
	for _, first := range []string{
		"/organizations", "/organizations?state=parked", "/organizations?q=roofers", "/organizations?state=parked&q=roofers", "/parked",
		"/parked?reason=park+422", "/organizations/o1", "/operators",
	} {
		seen := map[string]int{}
		pages := 0
		for next := first; next != ""; pages++ {
			page := s.get(next)
			rows := 0
			for _, part := range strings.Split(page, `<tr data-key="`)[1:] {
				key, _, _ := strings.Cut(part, `"`)
				if key != "park 422" { // a group
					seen[key]++
					rows++
				}
			}
			if rows > 50 {
				t.Errorf("%s has %d rows", next, rows)
			}
			_, link, _ := strings.Cut(page, `" rel="next"`)
			next = ""
			if link != "" {
				before, _, _ := strings.Cut(page, `" rel="next"`)
				next = html.UnescapeString(before[strings.LastIndex(before, `"`)+1:])
				next, _, _ = strings.Cut(next, "#")
			}
		}
		if len(seen) != n {
			t.Errorf("%s: %d seen on %d pages, want %d", first, len(seen), pages, n)
		}
		for key, times := range seen {
			if times > 1 {
				t.Errorf("%s: %s is there %d times", first, key, times)
			}
		}
	}
	for _, damaged := range []string{"/organizations?cursor=x", "/parked?cursor=AAAA", "/operators?before=x", "/organizations/o1?before=-1"} {
		if got := s.request("GET", damaged, nil); got.status != 400 {
			t.Errorf("GET %s: %d", damaged, got.status)
		}
	}
}

// TestBroken: an open breaker, a paused queue, what is too old and what was given up on are said first, and by whom.
func TestBroken(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.create("late", "Late Ltd")
	s.park("park 422", "bad", "worse")
	s.exec("UPDATE outbox SET dirty_since = now() - interval '10 minutes', marked_priority = 1 WHERE key = 'org_late'")
	s.exec("INSERT INTO process (id, hostname, pid, version, seen_at) VALUES (gen_random_uuid(), 'dead.example', 1, 'v0', now() - interval '1 hour')")
	s.has(s.get("/"), "Act No process is alive", "Given up on 2", "Oldest change 10 min too old: 60 s at most", "dead.example pid 1 silent")

	if _, err := s.sync.Outbox().Open(t.Context(), s.pool, s.waker, claimsync.Topic, "<moving house>"); err != nil {
		t.Fatal(err)
	}
	s.has(s.get("/"), "Act No process is alive", "a person opened it (<moving house>)", "Breaker open since", "Breaker…")
	s.has(s.get("/organizations/late"), "It waits like all others for the breaker.")
	s.has(s.get("/breaker"), "Breaker: open", "Close it")
}

// TestPausedByWhom: who pauses the queue in River UI is in the log, and on the overview.
func TestPausedByWhom(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.work()
	s.until("the queue and the process are there", func() bool {
		return s.count("SELECT count(*) FROM river.river_queue, process WHERE name = $1", claimsync.Topic) == 1
	})
	if got := s.request("PUT", "/riverui/api/queues/"+claimsync.Topic+"/pause", nil); got.status != 200 {
		t.Fatalf("pausing in River UI: %d %s", got.status, got.body)
	}
	page := s.get("/")
	s.has(page, "Act ada (127.0.0.1) paused River's queue", "River’s queue paused by ada from 127.0.0.1, in River UI, at", "Resume the queue")
	s.has(s.get("/operators"), "ada 127.0.0.1 queue pause clerk_organization answered 200")
	s.has(s.confirm("/queue/resume"), "The queue is resumed.", "River’s queue running")
	s.has(s.get("/operators"), "queue resume clerk_organization done")
	// By means that keep no log: nobody is accused of it.
	s.exec("UPDATE river.river_queue SET paused_at = now() + interval '1 hour'")
	s.has(s.get("/"), "paused by a person, by means that keep no log,")
}

// TestHostileNames: what others have written is text.
func TestHostileNames(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	const hostile = `<script>alert("1")</script><img src=x onerror=alert(1)>`
	s.create("evil", hostile)
	s.exec("UPDATE outbox SET job_id = NULL, parked_at = now(), parked_reason = $1, last_error = $1 WHERE key = 'org_evil'", hostile)
	s.exec("INSERT INTO outbox_delivery (topic, key, version, outcome, error, trace_id, duration) VALUES ('clerk_organization', 'org_evil', 1, 'park', $1, $1, '1 s')", hostile)
	s.exec("INSERT INTO operator_action (operator, origin, action, target, result) VALUES ($1, $1, 'push', $1, $1)", hostile)
	s.exec(`INSERT INTO process (id, hostname, pid, version) VALUES (gen_random_uuid(), $1, 1, $1)`, hostile)
	if _, err := s.sync.Outbox().Open(t.Context(), s.pool, s.waker, claimsync.Topic, hostile); err != nil {
		t.Fatal(err)
	}
	s.exec(`INSERT INTO drift_check (topic, report, reported_at, ended_at) VALUES ('clerk_organization', $1, now(), now())`,
		fmt.Sprintf(`{"finished_at": %q, "kinds": {}, "drifted": 1, "drifts": [{"clerk_org_id": %q, "id": %q, "kinds": ["changed"],
			"differences": [{"kind": "changed", "key": "k", "clerk": %q, "want": ""}]}]}`,
			time.Now().Format(time.RFC3339), hostile, hostile, hostile))
	for _, path := range []string{
		"/", "/organizations", "/organizations?" + url.Values{"q": {hostile}}.Encode(), "/organizations/evil", "/parked",
		"/parked?" + url.Values{"reason": {hostile}}.Encode(), "/parked/redrive?" + url.Values{"reason": {hostile}}.Encode(),
		"/drift", "/operators", "/breaker",
	} {
		page := s.get(path)
		if strings.Contains(page, "<script>") || strings.Contains(page, "<img") {
			t.Errorf("GET %s lets a name be more than text", path)
		}
		if !strings.Contains(page, "&lt;script&gt;") {
			t.Errorf("GET %s does not show the name", path)
		}
	}
}
