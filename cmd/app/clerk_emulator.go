package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/claimsync/claimsync/clerk/clerktest"
)

type clerkEmulatorCommand struct {
	Addr              string `default:"127.0.0.1:8181" help:"Where to listen."`
	SecretKey         string `name:"secret-key" envvar:"CLERK_SECRET_KEY" default:"${emulator_key}" help:"The key that is accepted."`
	Organizations     string `type:"existingfile" placeholder:"FILE" help:"Know the Clerk organizations of a file for app import."`
	AutoCreate        bool   `help:"Create an unknown organization when it is first written to. Clerk does not do that."`
	InstanceLimit     int    `default:"0" placeholder:"N" help:"Requests per 10 s; -1 for no limit. Default: Clerk's, by the key."`
	OrganizationLimit int    `default:"0" placeholder:"N" help:"Writes to one organization per 10 s; -1 for no limit. Default: Clerk's, 10."`

	Script  string            `type:"existingfile" placeholder:"FILE" help:"Play the faults of a file, one per line."`
	Faults  []string          `sep:"none" placeholder:"LINE" help:"Play a fault, as \"at 10s for 60s: 503 for 30 %\". May be repeated."`
	Traffic clerktest.Traffic `default:"0" placeholder:"N/TIME" help:"Other applications with the same key send so much, as 500/10s."`

	WebhookURL    string `name:"webhook-url" placeholder:"URL" help:"Post a webhook there after every change of an organization."`
	WebhookSecret string `name:"webhook-secret" placeholder:"SECRET" help:"Signs the webhooks. Default: one of the emulator's own."`
}

func (*clerkEmulatorCommand) Help() string {
	return `Speaks the part of Clerk's API that claimsync uses, and is as strict. Nothing is kept when it stops.

  app clerk-emulator --auto-create
  CLERK_API_URL=http://127.0.0.1:8181/v1 CLERK_SECRET_KEY=sk_test_clerktestemulator app serve

Rehearse an outage from the start, or while it runs. Faults are written one per line: when, how long, what, for whom.

  app clerk-emulator --auto-create --faults "at 10s for 60s: 503" --faults "at 70s: latency 2s for 30 %"
  echo "503 for 100 %" | curl -T - 127.0.0.1:8181/_control/script
  curl -X DELETE 127.0.0.1:8181/_control/faults

A fight for the rate limit; a write that lands a minute late; a rotated key;
organizations switched off in the dashboard:

  curl -X PUT 127.0.0.1:8181/_control/traffic -d '{"requests":90,"window":"10s"}'
  echo "429 retry-after 7s block once" | curl -T - 127.0.0.1:8181/_control/script
  echo "late 60s on PATCH once" | curl -T - 127.0.0.1:8181/_control/script
  curl -X PUT 127.0.0.1:8181/_control/secret-key -d '{"secret_key":"sk_test_new"}'
  curl -X PUT 127.0.0.1:8181/_control/organizations -d '{"enabled":false}'

What was asked and written, in order, how far the limits are used, a session token, and what else there is:

  curl 127.0.0.1:8181/_control/requests
  curl 127.0.0.1:8181/_control/writes
  curl 127.0.0.1:8181/_control/limits
  curl 127.0.0.1:8181/_control/tokens -d '{"organization":"org_1"}'
  curl 127.0.0.1:8181/_control/

The parts of a fault:

  at 10s, for 60s                      when it begins and how long it lasts; else at once, until cleared
  for 30 %, for org_1, on PATCH        whom it hits; else all
  3 times, once                        how often; else always
  503, retry-after 7s, block           a status, its header, and whether that really holds (429 only)
  header "Name: value", body "text"    of a status
  hang, latency 300ms                  no answer; a slow one
  reset before, reset after, truncate  the connection breaks before or after the request is applied
  late 60s                             no answer, and applied when the time has passed
  empty_ok, null_ok, errors_ok         200 without an organization`
}

func (c *clerkEmulatorCommand) Run(ctx context.Context, a *app) error {
	faults, err := c.faults()
	if err != nil {
		return err
	}
	server, err := clerktest.Start(clerktest.Config{
		Addr:              c.Addr,
		SecretKey:         c.SecretKey,
		InstanceLimit:     clerktest.Limit{Requests: c.InstanceLimit},
		OrganizationLimit: clerktest.Limit{Requests: c.OrganizationLimit},
		AutoCreate:        c.AutoCreate,
		HistoryLimit:      100_000,
	})
	if err != nil {
		return err
	}
	defer func() { _ = server.Close() }()
	known, err := c.addOrganizations(server)
	if err != nil {
		return err
	}
	if err := server.SetWebhooks(clerktest.WebhookConfig{URL: c.WebhookURL, Secret: c.WebhookSecret}); err != nil {
		return usage("%w", err)
	}
	server.SetTraffic(c.Traffic)
	server.SetFaults(faults...) // last: their times begin now
	_, _ = fmt.Fprintf(a.stdout, "Clerk emulator with %d organizations.\nCLERK_API_URL=%s\n", known, server.BaseURL())
	if c.SecretKey == clerktest.DefaultSecretKey { // another may be a real one
		_, _ = fmt.Fprintf(a.stdout, "CLERK_SECRET_KEY=%s\n", c.SecretKey)
	}
	if c.WebhookURL != "" && c.WebhookSecret == "" {
		_, _ = fmt.Fprintf(a.stdout, "CLERK_WEBHOOK_SECRET=%s\n", clerktest.DefaultWebhookSecret)
	}
	<-ctx.Done()
	return nil
}

// faults reads the script and the lines of the command line.
func (c *clerkEmulatorCommand) faults() ([]clerktest.Fault, error) {
	var script []byte
	if c.Script != "" {
		var err error
		if script, err = os.ReadFile(c.Script); err != nil {
			return nil, err
		}
	}
	faults, err := clerktest.ParseScript(string(script))
	if err != nil {
		return nil, usage("%s: %w", c.Script, err)
	}
	more, err := clerktest.ParseScript(strings.Join(c.Faults, "\n"))
	if err != nil {
		return nil, usage("--faults: %w", err)
	}
	return append(faults, more...), nil
}

// addOrganizations makes the linked organizations of the file known. Returns how many.
func (c *clerkEmulatorCommand) addOrganizations(server *clerktest.Server) (int, error) {
	if c.Organizations == "" {
		return 0, nil
	}
	file, err := os.Open(c.Organizations)
	if err != nil {
		return 0, err
	}
	defer func() { _ = file.Close() }()
	known := 0
	for line := range decodeOrganizations(file) {
		if line.err != nil {
			return 0, fmt.Errorf("%s: line %d: %w", c.Organizations, line.number, line.err)
		}
		if id := line.organization.ClerkOrgID; id != nil {
			server.AddOrganization(*id, line.organization.Name)
			known++
		}
	}
	return known, nil
}
