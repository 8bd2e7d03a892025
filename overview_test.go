package claimsync_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/claimsync/claimsync"
	"github.com/claimsync/claimsync/outbox"
	"github.com/claimsync/claimsync/scoring"
)

// A process that is alive, so that there is nothing to worry about.
const somebodyAlive = `INSERT INTO process (id, hostname, pid, version, calls_per_second)
	VALUES (gen_random_uuid(), 'h', 1, 'v1', 8.75)`

func TestOverviewCounts(t *testing.T) {
	t.Parallel()
	d := newDesk(t, claimsync.Unlimited)
	for _, id := range []string{"clean", "dirty", "parked"} {
		d.create(id)
	}
	d.insert(scoring.Organization{ID: "unlinked", Name: "U"})
	d.exec(`UPDATE outbox SET synced_version = 1, dirty_since = NULL, job_id = NULL WHERE key = 'org_clean'`)
	d.exec(`UPDATE outbox SET parked_at = now(), parked_reason = 'park 422', job_id = NULL WHERE key = 'org_parked'`)
	d.exec(`UPDATE outbox SET dirty_since = now() - interval '30 s' WHERE key = 'org_dirty'`)
	d.exec(somebodyAlive)
	d.exec(`INSERT INTO outbox_activity (topic, begins_at, outcome, deliveries) VALUES
		('clerk_organization', date_bin('10 s', now() - interval '40 s', 'epoch'), 'applied', 90),
		('clerk_organization', date_bin('10 s', now() - interval '40 s', 'epoch'), 'outage', 30),
		('clerk_organization', date_bin('10 s', now() - interval '5 min', 'epoch'), 'applied', 9),
		('clerk_organization', date_bin('10 s', now() - interval '2 h', 'epoch'), 'applied', 9)`)
	overview, err := d.sync.Overview(t.Context(), d.river)
	d.must(err)
	want := claimsync.Counts{
		Organizations: claimsync.Count{N: 4}, InStep: claimsync.Count{N: 1}, Dirty: claimsync.Count{N: 1},
		Parked: claimsync.Count{N: 1}, Unlinked: claimsync.Count{N: 1},
	}
	if diff := cmp.Diff(want, overview.Counts); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
	if age := overview.OldestDirtyAge.Seconds(); age < 30 || age > 60 {
		t.Errorf("oldest dirty age %g s, want 30", age)
	}
	used := claimsync.BudgetUse{PerSecond: 8.75, Known: true, Used: 2, Failed: 0.5}
	if overview.Budget != used {
		t.Errorf("budget %+v, want %+v", overview.Budget, used)
	}
	if len(overview.Activity) != 3 {
		t.Errorf("activity %+v, want that of the last hour", overview.Activity)
	}
}

// Nobody counts a million organizations to say how many there are.
func TestOverviewEstimates(t *testing.T) {
	t.Parallel()
	d := newDesk(t, claimsync.Unlimited)
	d.exec(`INSERT INTO organizations (id, name) SELECT i::text, 'N' FROM generate_series(1, 20000) AS i`)
	d.exec(`ANALYZE organizations`)
	overview, err := d.sync.Overview(t.Context(), d.river)
	d.must(err)
	want := claimsync.Counts{
		Organizations: claimsync.Count{N: 20000, About: true}, InStep: claimsync.Count{N: 10000, About: true, AtMost: true},
		Unlinked: claimsync.Count{N: 10000, OrMore: true},
	}
	if diff := cmp.Diff(want, overview.Counts); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
	if text := fmt.Sprint(overview.Counts.Organizations, ", ", overview.Counts.Unlinked, ", ", overview.Counts.InStep); text !=
		"about 20,000, 10,000+, at most about 10,000" {
		t.Errorf("in words: %s", text)
	}
}

func TestVerdict(t *testing.T) {
	t.Parallel()
	const open = `INSERT INTO destination (topic, opened_at, open_cause, open_reason, probe_at)
		VALUES ('clerk_organization', now(), '%', 'because', now())`
	breaker := func(cause outbox.Cause) string { return strings.Replace(open, "%", string(cause), 1) }
	tests := map[string]struct {
		given  string // beside a process that is alive
		health claimsync.Health
		says   string
	}{
		"well":                {`SELECT 1`, claimsync.HealthGood, "All is well: Clerk has confirmed the latest state"},
		"busy":                {`INSERT INTO outbox (topic, key, dirty_since) VALUES ('clerk_organization', 'a', now())`, claimsync.HealthGood, "All is well; 1 change is on its way"},
		"late, of a backfill": {`INSERT INTO outbox (topic, key, dirty_since, marked_priority) VALUES ('clerk_organization', 'a', now() - interval '5 min', 4)`, claimsync.HealthGood, "1 change is on its way, of a backfill"},
		"outage, and late":    {breaker(outbox.CauseOutage) + `; INSERT INTO outbox (topic, key, dirty_since) VALUES ('clerk_organization', 'a', now() - interval '5 min')`, claimsync.HealthPoor, "nothing is lost. The oldest change has waited for 5 min"},
		"outage, and nobody":  {breaker(outbox.CauseOutage) + `; UPDATE process SET seen_at = now() - interval '20 s'`, claimsync.HealthBad, "No process is alive"},
		"outage, and paused":  {breaker(outbox.CauseOutage) + `; INSERT INTO river.river_queue (name, metadata, created_at, updated_at, paused_at) VALUES ('clerk_organization', '{}', now(), now(), now())`, claimsync.HealthBad, "A person paused"},
		"opened by ada":       {breaker(outbox.CauseOperator) + `; INSERT INTO operator_action (operator, origin, action, target) VALUES ('ada', '192.0.2.1', 'breaker_open', 'because')`, claimsync.HealthBad, "ada (192.0.2.1) opened the breaker"},
		"paused by ada": {`INSERT INTO operator_action (operator, origin, action, target) VALUES ('ada', '192.0.2.1', 'queue_pause', 'clerk_organization');
			INSERT INTO river.river_queue (name, metadata, created_at, updated_at, paused_at) VALUES ('clerk_organization', '{}', now(), now(), now());
			INSERT INTO operator_action (at, operator, origin, action, target) VALUES (now() + interval '5 min', 'bob', '192.0.2.2', 'queue_pause', 'clerk_organization')`, claimsync.HealthBad, "ada (192.0.2.1) paused"},
		"paused by ada once": {`INSERT INTO operator_action (at, operator, origin, action, target) VALUES (now() - interval '5 min', 'ada', '192.0.2.1', 'queue_pause', 'clerk_organization');
			INSERT INTO river.river_queue (name, metadata, created_at, updated_at, paused_at) VALUES ('clerk_organization', '{}', now(), now(), now())`, claimsync.HealthBad, "A person paused"},
		"drifted, and left":     {`INSERT INTO drift_check (topic, report, reported_at) VALUES ('clerk_organization', '{"drifted":5,"repaired":1,"kinds":{"unknown_organization":2}}', now())`, claimsync.HealthPoor, "left 2 organizations that differed"},
		"drifted, and repaired": {`INSERT INTO drift_check (topic, report, reported_at) VALUES ('clerk_organization', '{"drifted":5,"repaired":3,"kinds":{"unknown_organization":2}}', now())`, claimsync.HealthGood, "All is well"},
		"late":                  {`INSERT INTO outbox (topic, key, dirty_since) VALUES ('clerk_organization', 'a', now() - interval '5 min')`, claimsync.HealthBad, "has waited for 5 min, where 60 s is the objective"},
		"parked":                {`INSERT INTO outbox (topic, key, dirty_since, parked_at, parked_reason) VALUES ('clerk_organization', 'a', now(), now(), 'x')`, claimsync.HealthPoor, "1 organization was given up on"},
		"outage":                {breaker(outbox.CauseOutage), claimsync.HealthPoor, "Clerk fails or does not answer"},
		"configuration":         {breaker(outbox.CauseConfiguration), claimsync.HealthBad, "Clerk refuses us"},
		"operator":              {breaker(outbox.CauseOperator), claimsync.HealthBad, "A person opened the breaker"},
		"blocked":               {`INSERT INTO destination (topic, blocked_until, blocked_reason) VALUES ('clerk_organization', now() + interval '1 min', '429')`, claimsync.HealthPoor, "wait a little"},
		"paused":                {`INSERT INTO river.river_queue (name, metadata, created_at, updated_at, paused_at) VALUES ('clerk_organization', '{}', now(), now(), now())`, claimsync.HealthBad, "A person paused"},
		"nobody":                {`UPDATE process SET seen_at = now() - interval '20 s'`, claimsync.HealthBad, "No process is alive"},
		"contested":             {`INSERT INTO drift_check (topic, report, reported_at) VALUES ('clerk_organization', '{"contested":1}', now())`, claimsync.HealthPoor, "Somebody else writes our keys"},
		"drift failed":          {`INSERT INTO drift_check (topic, ended_at, failure) VALUES ('clerk_organization', now(), 'x')`, claimsync.HealthPoor, "the last drift check failed"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, claimsync.Unlimited)
			d.exec(somebodyAlive)
			d.exec(test.given)
			overview, err := d.sync.Overview(t.Context(), d.river)
			d.must(err)
			health, verdict := overview.Verdict()
			if health != test.health || !strings.Contains(verdict, test.says) {
				t.Errorf("%s: %s, want %s: …%s…", health, verdict, test.health, test.says)
			}
		})
	}
}
