package web_test

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/claimsync/claimsync/db/dbtest"
)

// fill puts n organizations of each state into the database: u0…, c0…, d0… and p0…; of the dirty and the parked, the
// last are the oldest.
func (a *api) fill(n int) {
	a.t.Helper()
	a.exec(`
		INSERT INTO organizations (id, name, clerk_org_id)
		SELECT s || i, 'Organization ' || i, CASE WHEN s <> 'u' THEN 'org_' || s || i END
		FROM unnest(ARRAY['u', 'c', 'd', 'p']) AS s, generate_series(0, $1::int - 1) AS i`, n)
	a.exec(`
		INSERT INTO outbox (topic, key, desired_version, synced_version, dirty_since, parked_at, parked_reason)
		SELECT 'clerk_organization', 'org_' || s || i, 2, CASE WHEN s = 'c' THEN 2 ELSE 1 END,
			CASE WHEN s <> 'c' THEN now() - i * interval '1 s' END,
			CASE WHEN s = 'p' THEN now() - i * interval '1 s' END, CASE WHEN s = 'p' THEN 'park 422' END
		FROM unnest(ARRAY['c', 'd', 'p']) AS s, generate_series(0, $1::int - 1) AS i`, n)
}

// page fetches one page and returns the ids in it.
func (a *api) page(limit int, filter, cursor string) (ids []string, next string) {
	a.t.Helper()
	query := url.Values{"limit": {fmt.Sprint(limit)}, "sync": {filter}, "cursor": {cursor}}
	page := a.must(200, "GET", "/v1/organizations?"+query.Encode(), "")
	for _, org := range page["organizations"].([]any) {
		ids = append(ids, org.(object)["id"].(string))
	}
	next, _ = page["next_cursor"].(string)
	return ids, next
}

// walk fetches all pages.
func (a *api) walk(limit int, filter string) (ids []string) {
	a.t.Helper()
	for cursor := ""; ; {
		page, next := a.page(limit, filter, cursor)
		ids = append(ids, page...)
		if next == "" {
			return ids
		}
		cursor = next
	}
}

func TestListing(t *testing.T) {
	t.Parallel()
	a := newAPI(t, dbtest.New(t))
	if ids, next := a.page(50, "", ""); len(ids) != 0 || next != "" {
		t.Errorf("an empty table: %v, next %q", ids, next)
	}
	const n = 7
	a.fill(n)
	named := func(prefix string) (ids []string) {
		for i := range n {
			ids = append(ids, fmt.Sprint(prefix, i))
		}
		return ids
	}
	oldestFirst := func(ids []string) []string { slices.Reverse(ids); return ids }
	for filter, want := range map[string][]string{
		"":         slices.Concat(named("c"), named("d"), named("p"), named("u")),
		"unlinked": named("u"),
		"clean":    named("c"),
		"dirty":    oldestFirst(named("d")),
		"parked":   oldestFirst(named("p")),
	} {
		for _, limit := range []int{1, 2, n, 500} {
			diff(t, fmt.Sprintf("all pages of %d with sync=%s", limit, filter), want, a.walk(limit, filter))
		}
	}

	page := a.must(200, "GET", "/v1/organizations?sync=parked&limit=1", "")
	diff(t, "an item", object{
		"id": "p6", "name": "Organization 6", "clerk_org_id": "org_p6", "certification_tier": "ACCREDITED",
		"compliance_score": nil, "insurance_valid": nil, "calculated_at": nil,
		"sync": object{
			"state": "parked", "desired_version": 2.0, "synced_version": 1.0, "synced_at": nil, "last_error": nil,
			"parked_reason": "park 422", "dirty_since": syncOf(page["organizations"].([]any)[0].(object))["dirty_since"],
		},
	}, page["organizations"].([]any)[0])
}

// TestListingMatchesGet: an item of the listing says what the organization itself says.
func TestListingMatchesGet(t *testing.T) {
	t.Parallel()
	a := newAPI(t, dbtest.New(t))
	a.must(201, "POST", "/v1/organizations", `{"id": "o", "name": "O", "clerk_org_id": "org_1"}`)
	org := a.must(200, "GET", "/v1/organizations/o", "")
	for _, part := range []string{"breakdown", "issues", "tier_eligibility"} {
		delete(org, part)
	}
	diff(t, "the listing", []any{org}, a.must(200, "GET", "/v1/organizations", "")["organizations"])
}

// TestListingOfFewClean: looking for clean organizations among many others ends somewhere, and goes on from there.
func TestListingOfFewClean(t *testing.T) {
	t.Parallel()
	a := newAPI(t, dbtest.New(t))
	a.exec(`INSERT INTO organizations (id, name) SELECT 'a' || lpad(i::text, 6, '0'), 'A' FROM generate_series(1, 12000) AS i`)
	a.fill(3)
	ids, next := a.page(2, "clean", "")
	if len(ids) != 0 || next == "" {
		t.Fatalf("the first page: %v, next %q; want none yet, and to go on", ids, next)
	}
	diff(t, "all pages", []string{"c0", "c1", "c2"}, a.walk(2, "clean"))
}

func TestListingDuringInserts(t *testing.T) {
	t.Parallel()
	a := newAPI(t, dbtest.New(t))
	a.fill(40)

	var inserts sync.WaitGroup
	stop := make(chan struct{})
	inserts.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			body := fmt.Sprintf(`{"id": "%c%d", "name": "New", "clerk_org_id": "org_new%d"}`, 'a'+i*7%26, 1000+i, i)
			if got := a.do("POST", "/v1/organizations", body); got.status != 201 {
				t.Errorf("inserting %s: %d %s", body, got.status, got.body)
				return
			}
		}
	})
	seen := make(map[string]int)
	for _, id := range a.walk(3, "") {
		seen[id]++
	}
	close(stop)
	inserts.Wait()

	for id, times := range seen {
		if times > 1 {
			t.Errorf("%s is listed %d times", id, times)
		}
	}
	for _, prefix := range []string{"u", "c", "d", "p"} {
		for i := range 40 {
			if id := fmt.Sprint(prefix, i); seen[id] == 0 {
				t.Errorf("%s was there all the time and is not listed", id)
			}
		}
	}
}

// forge makes a cursor with a right checksum.
func forge(text string) string {
	data := []byte(text)
	return base64.RawURLEncoding.EncodeToString(binary.BigEndian.AppendUint32(data, crc32.ChecksumIEEE(data)))
}

func TestCursor(t *testing.T) {
	t.Parallel()
	a := newAPI(t, dbtest.New(t))
	a.fill(3)
	_, cursor := a.page(1, "dirty", "")
	damaged := []byte(cursor)
	damaged[len(damaged)/2] ^= 1
	for name, query := range map[string]string{
		"of another filter": "sync=parked&cursor=" + cursor,
		"of no filter":      "cursor=" + cursor,
		"cut":               "sync=dirty&cursor=" + cursor[:len(cursor)-1],
		"cut short":         "sync=dirty&cursor=" + cursor[:3],
		"damaged":           "sync=dirty&cursor=" + string(damaged),
		"padded":            "sync=dirty&cursor=" + cursor + "%3D",
		"twice":             "sync=dirty&cursor=" + cursor + cursor,
		"forged, with NUL":  "sync=dirty&cursor=" + forge(`{"sync": "dirty", "time": "2026-01-01T00:00:00Z", "after": "a\u0000"}`),
		"forged, timeless":  "sync=dirty&cursor=" + forge(`{"sync": "dirty", "after": "org_1"}`),
		"forged, too much":  "cursor=" + forge(`{"sync": "", "after": "a", "more": 1}`),
		"forged, no JSON":   "cursor=" + forge(`a`),
	} {
		got := a.do("GET", "/v1/organizations?"+query, "")
		t.Run(name, func(t *testing.T) { checkProblem(t, got, 400, "cursor") })
	}
	if strings.Trim(cursor, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
		t.Errorf("a cursor that needs escaping: %s", cursor)
	}
}
