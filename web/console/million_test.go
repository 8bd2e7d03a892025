package console_test

import (
	"flag"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/claimsync/claimsync"
)

var million = flag.Bool("million", false, "print how long each page takes with a million organizations")

// TestMillion prints figures: go test ./web/console -run Million -million -v
func TestMillion(t *testing.T) {
	if !*million {
		t.Skip("only with -million")
	}
	s := newStage(t)
	s.exec(`INSERT INTO organizations (id, name, clerk_org_id)
		SELECT md5(i::text), (ARRAY['Otago', 'Waikato', 'Kapiti', 'Acme'])[1 + i % 4] || ' Roofing ' || i, CASE WHEN i % 20 > 0 THEN 'org_' || md5(i::text) END
		FROM generate_series(1, 1000000) AS i`)
	s.exec(`INSERT INTO outbox (topic, key, desired_version, synced_version, synced_at, dirty_since, parked_at, parked_reason, last_error)
		SELECT $1, 'org_' || md5(i::text), 2, CASE WHEN i % 50 IN (1, 2) THEN 1 ELSE 2 END, now(),
			CASE WHEN i % 50 IN (1, 2) THEN now() - i * interval '1 ms' END,
			CASE WHEN i % 50 = 2 THEN now() - i * interval '1 ms' END, CASE WHEN i % 50 = 2 THEN 'park 422' END, CASE WHEN i % 50 = 2 THEN 'said' END
		FROM generate_series(1, 1000000) AS i WHERE i % 20 > 0`, claimsync.Topic)
	s.exec(`INSERT INTO outbox_delivery (topic, key, version, outcome, duration)
		SELECT $1, 'org_' || md5((i % 100000 + 1)::text), 1, 'applied', '30 ms' FROM generate_series(1, 300000) AS i WHERE (i % 100000 + 1) % 20 > 0`, claimsync.Topic)
	s.busyHour(900)
	for _, table := range []string{"organizations", "outbox", "outbox_delivery"} {
		s.exec("VACUUM ANALYZE " + table)
	}
	next := func(first string) string {
		before, _, _ := strings.Cut(s.get(first), `" rel="next"`)
		return strings.ReplaceAll(before[strings.LastIndex(before, `"`)+1:], "&amp;", "&")
	}
	for _, path := range []string{
		"/", "/organizations", next("/organizations"), "/organizations?state=dirty", next("/organizations?state=dirty"),
		"/organizations?state=parked", "/organizations?state=clean", "/organizations?state=unlinked", "/organizations?q=roofing",
		next("/organizations?q=roofing"), "/organizations?q=acme+roofing+123", "/organizations?q=nothing", "/organizations?q=ab",
		"/organizations?q=roofing&state=parked", "/organizations?q=99&state=dirty", "/organizations/c4ca4238a0b923820dcc509a6f75849b",
		"/parked", "/parked?reason=park+422", "/parked/redrive", "/drift", "/operators", "/breaker",
	} {
		var took []time.Duration
		for range 15 {
			began := time.Now()
			s.get(path)
			took = append(took, time.Since(began))
		}
		slices.Sort(took)
		if len(path) > 60 {
			path = path[:60] + "…"
		}
		t.Logf("%-62s median %8s, slowest %8s", path, took[len(took)/2].Round(100*time.Microsecond), took[len(took)-1].Round(100*time.Microsecond))
	}
}
