package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/claimsync/claimsync/clerk/clerktest"
	"github.com/claimsync/claimsync/db/dbtest/pgproxy"
	"github.com/claimsync/claimsync/internal/logtest"
)

// console is somebody at the command line, on a database of their own.
type console struct {
	t           *testing.T
	environment []string
}

// run runs a command that is to end so, and returns what it printed.
func (c *console) run(code int, args ...string) outcome {
	c.t.Helper()
	got := runApp(c.t, c.t.Context(), "", c.environment, args...)
	if got.code != code {
		c.t.Fatalf("app %s: exit code %d, want %d\n%s%s", strings.Join(args, " "), got.code, code, got.stdout, got.stderr)
	}
	return got
}

// says runs a command that is to print all of the texts, in lines that fit.
func (c *console) says(command string, texts ...string) {
	c.t.Helper()
	got := c.run(exitOK, strings.Fields(command)...)
	oneLine := strings.Join(strings.Fields(got.stdout), " ")
	for _, text := range texts {
		if !strings.Contains(oneLine, text) {
			c.t.Errorf("app %s does not say %q:\n%s", command, text, got.stdout)
		}
	}
	for line := range strings.Lines(got.stdout) {
		if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > textWidth {
			c.t.Errorf("app %s: a line of %d characters: %s", command, n, line)
		}
	}
}

// object runs a command that is to print JSON.
func (c *console) object(args ...string) (object map[string]any) {
	c.t.Helper()
	got := c.run(exitOK, append(args, "--json")...)
	if err := json.Unmarshal([]byte(got.stdout), &object); err != nil {
		c.t.Fatalf("app %s: %v in %s", strings.Join(args, " "), err, got.stdout)
	}
	return object
}

func (c *console) until(what string, condition func() bool) {
	c.t.Helper()
	for deadline := time.Now().Add(time.Minute); !condition(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			c.t.Fatalf("after a minute still not: %s", what)
		}
	}
}

// Somebody operates the whole: Clerk refuses everything, they look why, mend it and redrive; they open the breaker, look
// again, and close it.
func TestOperate(t *testing.T) {
	i := install(t, 12)
	c := &console{t, i.environment}
	i.serve()
	c.says("breaker status", "breaker closed", "queue running", "Retry-After none", "budget 100 % of our share")

	i.clerk.SetFaults(clerktest.Fault{Effect: clerktest.Answer, Status: 422})
	i.importAll()
	linked := 0
	for _, org := range i.organizations {
		if org.ClerkOrgID != nil {
			linked++
		}
	}
	c.until("all are parked", func() bool {
		reasons, _ := c.object("status")["parked_reasons"].(map[string]any)
		return reasons["park 422"] == float64(linked)
	})
	c.says("status", fmt.Sprintf("%d organizations were given up on", linked), "clean 0", "processes 1 alive",
		`for "park 422". To have them pushed again: app redrive --all`)
	var org, clerkOrgID string
	for _, o := range i.organizations {
		if o.ClerkOrgID != nil {
			org, clerkOrgID = o.ID, *o.ClerkOrgID
		}
	}
	c.says("why "+org, "is parked", `"park 422"`, "compliance_score", "not known", "The score is ", "documentation", "The tier is ", "app redrive "+org, "1 wanted, 0 at Clerk", "422", "clerk: park: status 422")
	c.says("why "+clerkOrgID, "app redrive "+org, "app log "+org)

	i.clerk.ClearFaults()
	c.says("redrive "+org, "1 redriven")
	c.until("it is clean", func() bool { return c.object("why", org)["state"] == "clean" })
	c.says("redrive --all", "redriven")
	i.untilInStep()
	i.untilClean()
	deliveries := c.object("why", org)["deliveries"].([]any)
	if first := deliveries[0].(map[string]any); first["outcome"] != "applied" || first["version"] != 2.0 ||
		len(deliveries) != 2 {
		t.Errorf("deliveries: %v", deliveries)
	}

	c.says("log "+org, "2 applied 200", "1 park 422", "clerk: park: status 422")
	if got := c.object("log", clerkOrgID, "--limit=1")["deliveries"].([]any); len(got) != 1 {
		t.Errorf("log of the last delivery: %v", got)
	}

	c.says("breaker open --reason=migration", "The breaker is open. Nothing is pushed until: app breaker close")
	c.says("breaker open", "open already; nothing is changed", "opened it (migration)")
	for n := range i.organizations {
		i.promote(n)
	}
	why := c.object("why", org)
	if why["state"] != "dirty" || why["waiting_for"] != "breaker" || why["until"] != nil {
		t.Errorf("why while the breaker is open: %v", why)
	}
	c.says("why "+org, "is dirty", "waits like all others for the breaker", "app breaker close")
	c.says("status", "opened the breaker: nothing is pushed until somebody closes it.", "opened it (migration)")
	c.says("breaker status", "breaker open, operator", "queue paused by the breaker", operatorHere().String()+" opened it (migration)")
	c.says("breaker", "breaker open, operator")
	address := strings.TrimSuffix(strings.TrimPrefix(i.api.base, "http://"), "/v1/organizations/")
	if got := c.run(exitOK, "healthcheck", "--addr="+address); !strings.HasPrefix(got.stdout, "degraded: a person opened the breaker") {
		t.Errorf("healthcheck: %+v", got)
	}
	c.says("breaker close", "The breaker is closed. It was open for")
	i.untilInStep()
	c.says("breaker close", "closed already")
	i.untilClean()
	c.says("status", "All is well", fmt.Sprint("clean ", linked))
	if got := c.object("status"); got["health"] != "good" || got["pushes_per_second"] == nil || len(got["processes"].([]any)) != 1 {
		t.Errorf("status: %v", got)
	}
	c.says("log --operators", "breaker_close", "breaker_open migration", ": nothing to change", "redrive_all",
		"redrive "+org, ": 1 redriven")
	c.says("healthcheck --addr="+address, "ready")
}

// What is in the way of all is said, for people and for programs.
func TestGateIsSaid(t *testing.T) {
	c, url := parkedOf(t)
	query(t, url, `WITH d AS (INSERT INTO destination (topic, blocked_until, blocked_reason, rate_factor, rate_factor_at, opened_at,
			open_cause, open_reason, probe_at, probes)
		VALUES ('clerk_organization', now() + interval '1 h', '429', 0.5, now() + interval '1 h', now(), 'configuration',
			'clerk: stop: status 401', now(), 3) RETURNING 1) SELECT count(*) FROM d`)
	query(t, url, `WITH q AS (INSERT INTO river.river_queue (name, metadata, created_at, updated_at, paused_at)
		VALUES ('clerk_organization', '{}', now(), now(), now()) RETURNING 1) SELECT count(*) FROM q`)
	for _, command := range []string{"status", "breaker status"} {
		c.says(command, "Clerk told everybody to wait until", "Clerk refuses us whatever we send (clerk: stop: status 401).",
			"Check CLERK_SECRET_KEY", "probes: 3 so far", "of our share, 50 %", "A person paused River's queue")
		got := c.object(strings.Fields(command)...)
		breaker, pause := got["breaker"].(map[string]any), got["queue_paused"].(map[string]any)
		if breaker["cause"] != "configuration" || breaker["next_probe"] == nil || pause["by"] != "person" ||
			got["blocked_reason"] != "429" || got["budget_share"] != 0.5 {
			t.Errorf("%s: %v", command, got)
		}
	}
	c.says("breaker open", "would have closed by itself", "app breaker close")
	c.says("breaker close", "It was open for", "(operator)", "The wait that Clerk asked for is ended.",
		"The whole budget is used again, instead of 50 %.", "A person paused River's queue")
}

// Who watches sees what becomes of it, and is not sent away by a database that does not answer; but by what will not pass.
func TestWatch(t *testing.T) {
	c, url := parkedOf(t, "park 422")
	proxy, err := pgproxy.Start(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = proxy.Close() })
	ctx, leave := context.WithCancel(t.Context())
	var said, programs logtest.Journal
	watch := func(said *logtest.Journal, args ...string) chan int {
		ended := make(chan int)
		getenv := func(name string) string {
			return map[string]string{"DATABASE_URL": proxy.URL()}[name]
		}
		go func() {
			ended <- run(ctx, append(args, "--watch", "--every=100ms"), strings.NewReader(""), said, said, getenv)
		}()
		return ended
	}
	people, program := watch(&said, "status"), watch(&programs, "why", "a", "--json")
	c.until("it looks again and again", func() bool { return strings.Count(said.String(), "Parked: 1") > 2 })
	query(t, url, `WITH u AS (UPDATE outbox SET parked_at = NULL, parked_reason = NULL RETURNING 1) SELECT count(*) FROM u`)
	c.until("it sees a change", func() bool { return strings.Contains(said.String(), "has waited for") })

	proxy.Refuse(true)
	proxy.Sever()
	c.until("it says what fails", func() bool {
		return strings.Contains(said.String(), "connect") && strings.Contains(programs.String(), `{"error":`)
	})
	proxy.Refuse(false)
	failed, broken := len(said.String()), len(programs.String())
	c.until("it goes on", func() bool {
		return strings.Contains(said.String()[failed:], "has waited for") && strings.Contains(programs.String()[broken:], `"state":"dirty"`)
	})
	for line := range strings.Lines(strings.TrimSpace(programs.String())) {
		if !json.Valid([]byte(line)) {
			t.Errorf("not JSON: %s", line)
		}
	}
	leave()
	if code, other := <-people, <-program; code != exitOK || other != exitOK {
		t.Errorf("exit codes %d, %d", code, other)
	}
	if got := c.run(exitFailed, "why", "nobody", "--watch"); !strings.Contains(got.stderr, "nobody") {
		t.Errorf("%+v", got)
	}
}

func TestLogIsOfSomebody(t *testing.T) {
	c, _ := parkedOf(t, "park 422")
	c.says("log a", "No delivery is in the log")
	c.says("log --operators", "Nothing was done by hand.")
	if got := c.object("log", "--operators"); len(got["actions"].([]any)) != 0 {
		t.Errorf("%v", got)
	}
	c.run(exitUsage, "log")
	c.run(exitUsage, "log", "a", "--operators")
	c.run(exitUsage, "log", "a", "--limit=0")
	c.run(exitUsage, "status", "--watch", "--every=1ms")
	if got := c.run(exitFailed, "log", "nobody"); !strings.Contains(got.stderr, "nobody") {
		t.Errorf("%+v", got)
	}
}
