package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/claimsync/claimsync/clerk/clerktest"
	"github.com/claimsync/claimsync/db"
	"github.com/claimsync/claimsync/db/dbtest"
	"github.com/claimsync/claimsync/internal/logtest"
)

func TestMain(m *testing.M) { dbtest.Main(m) }

const password = "staff-password"

// monolith is the application, running.
type monolith struct {
	t     *testing.T
	pool  *pgxpool.Pool // to look behind it
	clerk *clerktest.Server
	crm   *fakeCRM
	log   *logtest.Journal
	url   string
}

// start starts the application on an empty database.
func start(t *testing.T) *monolith {
	t.Helper()
	return startOn(t, dbtest.EmptyURL(t), "")
}

// startOn starts it on a database that it reaches through another URL, if there is one.
func startOn(t *testing.T, database, through string) *monolith {
	t.Helper()
	clerk, err := clerktest.Start(clerktest.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = clerk.Close() })
	pool, err := db.Open(t.Context(), database)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	m := &monolith{t: t, pool: pool, clerk: clerk, crm: startCRM(t), log: &logtest.Journal{}}
	m.run(map[string]string{
		"DATABASE_URL": cmp.Or(through, database), "STAFF_PASSWORD": password, "CRM_URL": m.crm.url, "CRM_KEY": crmKey,
		"CLERK_SECRET_KEY": clerktest.DefaultSecretKey, "CLERK_API_URL": clerk.BaseURL(),
	})
	return m
}

func (m *monolith) run(environment map[string]string) {
	m.t.Helper()
	listener, err := new(net.ListenConfig).Listen(m.t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		m.t.Fatal(err)
	}
	m.url = "http://" + listener.Addr().String()
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		getenv := func(name string) string { return environment[name] }
		ended <- run(ctx, getenv, listener, slog.New(slog.NewTextHandler(m.log, nil)))
	}()
	m.t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			m.t.Errorf("%v; the log has\n%s", err, m.log)
		}
	})
}

// request sends one as staff. The application may have to start first: its port is open before.
func (m *monolith) request(method, path, body string) (status int, answer string) {
	m.t.Helper()
	request, err := http.NewRequestWithContext(m.t.Context(), method, m.url+path, strings.NewReader(body))
	if err != nil {
		m.t.Fatal(err)
	}
	request.SetBasicAuth("ada", password)
	return m.send(request)
}

func (m *monolith) send(request *http.Request) (status int, answer string) {
	m.t.Helper()
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		m.t.Fatalf("%v; the log has\n%s", err, m.log)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		m.t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

// create makes an organization, here and at Clerk, by claimsync's API.
func (m *monolith) create(id string) {
	m.t.Helper()
	m.clerk.AddOrganization("org_"+id, id)
	status, answer := m.request("POST", "/internal/claimsync/v1/organizations",
		fmt.Sprintf(`{"id": %q, "name": "Roofers", "clerk_org_id": "org_%s", "certification_tier": "CERTIFIED"}`, id, id))
	if status != http.StatusCreated {
		m.t.Fatalf("creating %s: %d %s", id, status, answer)
	}
}

// begin begins a project of the organization's, insured until then.
func (m *monolith) begin(organization, name string, insuredUntil time.Time) (status int) {
	m.t.Helper()
	status, _ = m.request("POST", "/projects", fmt.Sprintf(
		`{"organization": %q, "name": %q, "policies": [{"policy_type": "PUBLIC_LIABILITY", "coverage_amount": 5000000, "expiry_date": %q}]}`,
		organization, name, insuredUntil.UTC().Format(time.RFC3339Nano)))
	return status
}

// claims is what Clerk has of the organization.
func (m *monolith) claims(id string) string {
	m.t.Helper()
	found, _ := m.clerk.Organization("org_" + id)
	return string(found.PublicMetadata)
}

// look reads one value.
func look[T any](m *monolith, sql string, args ...any) (value T) {
	m.t.Helper()
	if err := m.pool.QueryRow(m.t.Context(), sql, args...).Scan(&value); err != nil {
		m.t.Fatalf("%s: %v", sql, err)
	}
	return value
}

// until waits for a condition.
func (m *monolith) until(what string, condition func() bool) {
	m.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !condition(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			m.t.Fatalf("in vain: until %s; the log has\n%s", what, m.log)
		}
	}
}
