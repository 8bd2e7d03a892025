package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/claimsync/claimsync/clerk/clerktest"
	"github.com/claimsync/claimsync/db/dbtest"
	"github.com/claimsync/claimsync/internal/proctest"
	"github.com/claimsync/claimsync/scoring"
)

// installation is what a user sets up: an empty database, a Clerk instance, and `app serve` on both.
type installation struct {
	t             *testing.T
	database      string // its URL, with nothing in between
	clerk         *clerktest.Server
	environment   []string
	organizations []scoring.OrganizationFacts
	api           *apiClient
}

func install(t *testing.T, organizations int) *installation {
	t.Helper()
	t.Parallel()
	config := clerktest.WithoutLimits()
	config.SecretKey = testKey
	clerk, err := clerktest.Start(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := clerk.Close(); err != nil {
			t.Error(err)
		}
	})
	i := &installation{t: t, database: dbtest.EmptyURL(t), clerk: clerk, organizations: sampleOf(organizations)}
	i.environment = []string{
		"DATABASE_URL=" + i.database, "HTTP_ADDR=127.0.0.1:0", "ADMIN_TOKEN=" + testToken,
		"CLERK_SECRET_KEY=" + testKey, "CLERK_API_URL=" + clerk.BaseURL(),
		"CLERK_RATE_LIMIT=-1", "CLERK_ORGANIZATION_RATE_LIMIT=-1",
	}
	for _, org := range i.organizations {
		if org.ClerkOrgID != nil {
			clerk.AddOrganization(*org.ClerkOrgID, org.Name)
		}
	}
	return i
}

// serve starts a process, and returns once it is ready.
func (i *installation) serve(flags ...string) *proctest.Process {
	i.t.Helper()
	p := startApp(i.t, i.environment, append([]string{"serve"}, flags...)...)
	api := p.WaitFor(`"api":"([^"]+)/v1"`)
	i.api = newAPIClient(api, testToken)
	i.t.Cleanup(func() { _ = i.api.close() })
	return p
}

// serveUnderLoad starts a process, and returns while it pushes a change to every organization.
func (i *installation) serveUnderLoad() *proctest.Process {
	i.t.Helper()
	p := i.serve("--max-workers=4") // so that changes come faster than they are pushed
	i.importAll()
	i.untilInStep()
	i.clerk.SetFaults(clerktest.Fault{Latency: 300 * time.Millisecond})
	for n := range i.organizations {
		i.promote(n)
	}
	return p
}

func (i *installation) importAll() {
	i.t.Helper()
	got := runApp(i.t, i.t.Context(), ndjsonOf(i.t, i.organizations), i.environment, "import", "-")
	if got.code != exitOK {
		i.t.Fatalf("importing: %+v", got)
	}
}

// promote changes something that Clerk has to learn about organization n.
func (i *installation) promote(n int) {
	i.t.Helper()
	tier := scoring.Accredited
	if i.organizations[n].CertificationTier == tier {
		tier = scoring.MasterRoofer
	}
	change := map[string]any{"certification_tier": tier}
	if err := i.api.do(i.t.Context(), http.MethodPatch, i.organizations[n].ID, "", change, nil); err != nil {
		i.t.Fatal(err)
	}
}

// untilInStep waits until Clerk has the API's values for every linked organization, and checks that it was asked for no
// other.
func (i *installation) untilInStep() {
	i.t.Helper()
	ctx, cancel := context.WithTimeout(i.t.Context(), time.Minute)
	defer cancel()
	stage := &stage{clerk: i.clerk}
	linked := map[string]bool{}
	for _, org := range i.organizations {
		postgres, err := i.api.organization(ctx, org.ID)
		if err != nil {
			i.t.Fatal(err)
		}
		if postgres.ClerkOrgID == nil {
			continue
		}
		linked[*postgres.ClerkOrgID] = true
		inStep := func() bool { return stage.comparison(postgres).inStep() }
		if err := i.clerk.WaitFor(ctx, inStep); err != nil {
			i.t.Fatalf("%s: Clerk has %s, Postgres %+v", org.ID, stage.comparison(postgres).clerk, postgres)
		}
	}
	for _, request := range i.clerk.Requests() {
		if !linked[request.Organization] {
			i.t.Errorf("Clerk was called for an organization that is not linked: %s", request.Path)
		}
	}
}

// untilClean waits until nothing is left to deliver: Clerk may be in step before the last push is acknowledged.
func (i *installation) untilClean() {
	i.t.Helper()
	for deadline := time.Now().Add(time.Minute); i.query("SELECT count(*) FROM outbox WHERE dirty_since IS NOT NULL") > 0; {
		if time.Now().After(deadline) {
			i.t.Fatal("still dirty after a minute")
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func (i *installation) query(sql string) int {
	i.t.Helper()
	return query(i.t, i.database, sql)
}

// metrics is what Prometheus would read, without the token.
func (i *installation) metrics() string {
	i.t.Helper()
	request, err := http.NewRequestWithContext(i.t.Context(), http.MethodGet,
		strings.TrimSuffix(i.api.base, "/v1/organizations/")+"/metrics", nil)
	if err != nil {
		i.t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		i.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		i.t.Fatalf("%d %s, %v", response.StatusCode, text, err)
	}
	return string(text)
}

func TestServe(t *testing.T) {
	i := install(t, 200)
	p := i.serve()
	i.importAll()
	i.untilInStep()
	for n := range i.organizations {
		i.promote(n)
	}
	i.untilInStep()
	if got := runApp(t, t.Context(), "", i.environment, "healthcheck", "--addr", strings.TrimSuffix(strings.TrimPrefix(i.api.base, "http://"), "/v1/organizations/")); got.code != exitOK {
		t.Errorf("healthcheck: %+v", got)
	}

	i.untilClean()
	for _, line := range []string{
		`claimsync_clerk_requests_total{code="200",operation="push"} `, `claimsync_processes{state="alive"} 1`,
		`claimsync_build_info{version="`, `claimsync_river_jobs{state="available",topic="clerk_organization"} 0`,
	} {
		if metrics := i.metrics(); !strings.Contains(metrics, "\n"+line) {
			t.Errorf("no metric begins with %s:\n%s", line, metrics)
		}
	}
	p.Signal(syscall.SIGTERM)
	if code := p.Exit(); code != exitOK {
		t.Errorf("exit code after SIGTERM %d, want 0", code)
	}
	if n := i.query("SELECT count(*) FROM river.river_job WHERE attempt > 1 OR state <> 'completed'"); n != 0 {
		t.Errorf("%d jobs burned an attempt or did not complete", n)
	}
}

// A process is killed with pushes in flight; another one finishes what it left.
func TestKilledInTheMiddle(t *testing.T) {
	i := install(t, 60)
	p := i.serveUnderLoad()
	p.Kill()
	if n := i.query("SELECT count(*) FROM outbox WHERE lease_token IS NOT NULL"); n == 0 {
		t.Fatal("nothing was in flight: the test proves nothing")
	}
	i.clerk.ClearFaults()
	i.serve()
	i.untilInStep()
	i.untilClean()
	if n := i.query("SELECT count(*) FROM outbox_delivery WHERE outcome = 'lost'"); n == 0 {
		t.Error("the deliveries that died are not in the log")
	}
}

// In-flight pushes finish at a graceful stop; what waits is left for the next process, with no attempt burned.
func TestGracefulStopUnderLoad(t *testing.T) {
	i := install(t, 120)
	p := i.serveUnderLoad()
	p.Signal(syscall.SIGINT)
	if code := p.Exit(); code != exitOK {
		t.Errorf("exit code %d, want 0", code)
	}
	if n := i.query("SELECT count(*) FROM outbox WHERE lease_token IS NOT NULL"); n != 0 {
		t.Errorf("%d rows are still leased after a graceful stop", n)
	}
	if n := i.query("SELECT count(*) FROM outbox WHERE dirty_since IS NOT NULL"); n == 0 {
		t.Error("nothing was waiting: the test proves nothing")
	}
	i.clerk.ClearFaults()
	i.serve()
	i.untilInStep()
	if n := i.query("SELECT max(attempt) FROM river.river_job"); n != 1 {
		t.Errorf("%d attempts, want 1", n)
	}
	// Each version was pushed once: none twice.
	seen := map[string]bool{}
	for _, write := range i.clerk.Writes() {
		push := fmt.Sprint(write.Organization, " version ", write.Version)
		if seen[push] {
			t.Errorf("%s was pushed twice", push)
		}
		seen[push] = true
	}
}

// Whoever does not want to wait for the graceful stop asks a second time.
func TestSecondSignalEndsAtOnce(t *testing.T) {
	i := install(t, 10)
	p := i.serve()
	i.clerk.SetFaults(clerktest.Fault{Effect: clerktest.Hang})
	i.importAll()
	if err := i.clerk.WaitFor(t.Context(), func() bool { return len(i.clerk.Requests()) > 0 }); err != nil {
		t.Fatal(err)
	}
	p.Signal(syscall.SIGTERM)
	p.WaitFor(`"Stopping"`)
	p.Signal(syscall.SIGTERM)
	if code := p.Exit(); code != -1 {
		t.Errorf("exit code %d, want an end by the signal", code)
	}
}

// Without ADMIN_TOKEN, on loopback, one is made up and told.
func TestServeMakesUpAToken(t *testing.T) {
	i := install(t, 1)
	i.environment = append(i.environment, "ADMIN_TOKEN=")
	p := i.serve()
	token := p.WaitFor(`No ADMIN_TOKEN is set: for this run it is (\S+)`)
	i.api.token = token
	i.importAll()
	if _, err := i.api.organization(t.Context(), i.organizations[0].ID); err != nil {
		t.Error(err)
	}
}

// With its secret, Clerk's webhooks link, by the key that was chosen; without, there is nothing to post them to.
func TestServeTakesWebhooks(t *testing.T) {
	i := install(t, 1)
	i.organizations[0].ClerkOrgID = nil
	post := func() int {
		t.Helper()
		body := fmt.Sprintf(`{"type":"organization.created","data":{"id":"org_hooked","private_metadata":{"ours":%q}}}`, i.organizations[0].ID)
		url := strings.TrimSuffix(i.api.base, "/v1/organizations/") + "/webhooks/clerk"
		status, err := clerktest.Webhook{Body: []byte(body), Secrets: []string{testWebhookSecret}}.Send(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		return status
	}
	i.clerk.AddOrganization("org_hooked", "Hooked")
	i.serve()
	i.importAll()
	if status := post(); status != http.StatusNotFound {
		t.Errorf("without a secret: %d, want 404", status)
	}
	i.environment = append(i.environment, "CLERK_WEBHOOK_SECRET="+testWebhookSecret+"\n", "CLERK_LINK_KEY=ours")
	i.serve()
	if status := post(); status != http.StatusNoContent {
		t.Errorf("with its secret: %d, want 204", status)
	}
	i.untilInStep()
	org, err := i.api.organization(t.Context(), i.organizations[0].ID)
	if err != nil || org.ClerkOrgID == nil || *org.ClerkOrgID != "org_hooked" {
		t.Errorf("%+v, %v: not linked", org, err)
	}
}
