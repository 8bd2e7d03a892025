package main

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/claimsync/claimsync"
	"github.com/claimsync/claimsync/db/dbtest"
)

// A healthy set-up, and what can happen to one: Clerk's copy is edited, an organization is deleted there, a person pauses and
// opens, the last process ends.
func TestDoctorOfRunningSystem(t *testing.T) {
	i := install(t, 1)
	p := &patient{t, strings.TrimPrefix(i.environment[0], "DATABASE_URL="), i.clerk, map[string]string{
		"DATABASE_URL": strings.TrimPrefix(i.environment[0], "DATABASE_URL="), "CLERK_SECRET_KEY": testKey,
		"CLERK_API_URL": i.clerk.BaseURL(), "CLERK_WEBHOOK_SECRET": testWebhookSecret, "ADMIN_TOKEN": strongToken,
	}}
	c := &console{t, p.environment()}
	process := i.serve("--drift-every=never")
	i.importAll()
	i.untilInStep()
	i.untilClean()
	c.says("doctor", "✓ migrations all ", "✓ processes 1 alive", "✓ round trip "+i.organizations[0].ID+" has at Clerk what Postgres says",
		"✓ breaker closed", "– webhooks no event has come", "All is well.")

	key := *i.organizations[0].ClerkOrgID
	i.clerk.EditMetadata(key, []byte(`{"compliance_score":"7"}`), nil)
	p.finds("round trip", failed, `compliance_score is "7", not `, "insurance_valid is nothing, not ", "app drift --repair")
	i.clerk.RemoveOrganization(key)
	p.finds("round trip", failed, "Clerk has no "+key, "of another instance")

	c.run(exitOK, "breaker", "open", "--reason=migration")
	found := p.findings()
	found["breaker"].is(t, failed, "operator: migration", "app breaker close")
	found["round trip"].is(t, skipped, "not while the breaker is open")
	c.run(exitOK, "breaker", "close")
	p.exec("UPDATE river.river_queue SET paused_at = now()")
	p.finds("queue", failed, "paused by a person", "Resume it in River UI")
	p.exec("UPDATE river.river_queue SET paused_at = NULL")

	process.Signal(syscall.SIGTERM)
	if code := process.Exit(); code != exitOK {
		t.Fatalf("exit code %d", code)
	}
	p.finds("processes", warned, "none, so nothing would be pushed", "Start app serve")
	p.exec("UPDATE outbox SET desired_version = desired_version + 1, dirty_since = now()")
	p.finds("processes", failed, "changes wait to be pushed")
}

// While Clerk has everybody wait it is not called, not even to see how it is.
func TestDoctorWhileClerkHasEverybodyWait(t *testing.T) {
	t.Parallel()
	p := newPatient(t, dbtest.URL(t))
	p.exec(`INSERT INTO destination (topic, blocked_until, blocked_reason) VALUES ('clerk_organization', now() + interval '59 min 30 s', '429')`)
	found := p.findings()
	found["breaker"].is(t, warned, "Clerk told everybody to wait until", "CLERK_RATE_SHARE")
	for _, step := range []string{"Clerk", "Clerk's clock", "organizations", "round trip"} {
		found[step].is(t, skipped, "Clerk has everybody wait", "again in 59 min")
	}
	if n := len(p.clerk.Requests()); n > 0 {
		t.Errorf("%d requests to Clerk", n)
	}
	p.exec("UPDATE destination SET blocked_until = NULL, blocked_reason = NULL, rate_factor = 0.5, rate_factor_at = now() + interval '1 h'")
	p.finds("breaker", warned, "of our share, 50 % is used", "CLERK_RATE_SHARE")
}

func TestDoctorBreaker(t *testing.T) {
	t.Parallel()
	for cause, want := range map[string]string{"outage": "closes by itself once Clerk works", "configuration": "Mend what Clerk refuses"} {
		p := newPatient(t, dbtest.URL(t))
		p.exec(`INSERT INTO destination (topic, opened_at, open_cause, open_reason, probe_at)
			VALUES ('clerk_organization', now(), '` + cause + `', 'park 503', now())`)
		found := p.findings()
		found["breaker"].is(t, failed, cause+": park 503", want)
		found["Clerk"].is(t, passed) // to see what is wrong is what a doctor is for
	}
}

func TestDoctorFleet(t *testing.T) {
	t.Parallel()
	old, gone := claimsync.Process{Version: "1", Alive: true}, claimsync.Process{Version: "2"}
	current := claimsync.Process{Version: "2", Alive: true}
	fleetFinding([]claimsync.Process{current, gone}, 0, true).is(t, passed, "1 alive, version 2; 1 vanished today")
	fleetFinding([]claimsync.Process{old, current}, 0, false).is(t, warned, "version 1 and 2", "During a deploy")
	fleetFinding([]claimsync.Process{gone}, 0, false).is(t, warned, "0 alive")
	fleetFinding([]claimsync.Process{gone}, 0, true).is(t, failed, "changes wait")
}

func TestDoctorWebhooks(t *testing.T) {
	t.Parallel()
	p := newPatient(t, dbtest.URL(t))
	found := p.findings()
	found["webhook secret"].is(t, passed, "verifies what it signed")
	found["webhooks"].is(t, skipped, "cannot be seen from here", "send a test event")
	p.exec(`INSERT INTO clerk_event (id, type, organization, received_at)
		VALUES ('msg_1', 'organization.updated', 'org_1', now() - interval '3 min'), ('msg_2', 'organization.updated', 'org_1', now() - interval '3 h')`)
	p.finds("webhooks", passed, "the last event came 3 min ago")
	delete(p.set, "CLERK_WEBHOOK_SECRET")
	p.finds("webhook secret", skipped, "CLERK_WEBHOOK_SECRET is not set")
	p.set["CLERK_WEBHOOK_SECRET"] = "whsec_hunter2!"
	if f := p.finds("webhook secret", failed, "must look like whsec_", "signing secret"); strings.Contains(f.Found+f.Remedy, "hunter2") {
		t.Errorf("%+v", f)
	}
}

func TestDoctorAdminToken(t *testing.T) {
	t.Parallel()
	const near, open = "127.0.0.1:8080", "0.0.0.0:8080"
	for _, test := range []struct {
		token, addr string
		want        verdict
		says        string
	}{
		{strongToken, open, passed, "not easily guessed"},
		{"", near, skipped, "makes one up"},
		{"", open, failed, "does not start"},
		{"admin", near, warned, "only from this machine"},
		{"admin", open, failed, "others can reach 0.0.0.0:8080"},
	} {
		x := &examination{flags: &doctorCommand{listenFlags: listenFlags{Addr: test.addr, AdminToken: test.token}}, now: time.Now}
		x.adminToken(t.Context()).is(t, test.want, test.says)
	}
}

// This machine's own clock is wrong: it is against both others.
func TestDoctorOwnClock(t *testing.T) {
	t.Parallel()
	p := newPatient(t, dbtest.URL(t))
	for skew, want := range map[time.Duration]verdict{0: passed, 20 * time.Second: warned, -5 * time.Minute: failed} {
		x := &examination{
			flags: &doctorCommand{
				databaseFlags: databaseFlags{DatabaseURL: p.url, RiverSchema: "river"},
				clerkFlags:    clerkFlags{ClerkSecretKey: testKey, ClerkAPIURL: p.clerk.BaseURL()},
			},
			now: func() time.Time { return time.Now().Add(skew) },
		}
		findings, err := x.examine(t.Context(), func(finding) error { return nil })
		x.close()
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range findings {
			if f.Step == "clock" || f.Step == "Clerk's clock" {
				f.is(t, want)
			}
		}
	}
}
