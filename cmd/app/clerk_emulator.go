package main

import (
	"context"
	"fmt"
	"os"

	"github.com/claimsync/claimsync/clerk/clerktest"
)

type clerkEmulatorCommand struct {
	Addr              string `default:"127.0.0.1:8181" help:"Where to listen."`
	SecretKey         string `name:"secret-key" envvar:"CLERK_SECRET_KEY" default:"${emulator_key}" help:"The key that is accepted."`
	Organizations     string `type:"existingfile" placeholder:"FILE" help:"Know the Clerk organizations of a file for app import."`
	AutoCreate        bool   `help:"Create an unknown organization when it is first written to. Clerk does not do that."`
	InstanceLimit     int    `default:"0" placeholder:"N" help:"Requests per 10 s; -1 for no limit. Default: Clerk's, by the key."`
	OrganizationLimit int    `default:"0" placeholder:"N" help:"Writes to one organization per 10 s; -1 for no limit. Default: Clerk's, 10."`
}

func (*clerkEmulatorCommand) Help() string {
	return `Speaks the part of Clerk's API that claimsync uses, and is as strict. Nothing is kept when it stops.

  app clerk-emulator --auto-create
  CLERK_API_URL=http://127.0.0.1:8181/v1 CLERK_SECRET_KEY=sk_test_clerktestemulator app serve

Rehearse an outage, and its end:

  curl -X PUT 127.0.0.1:8181/_control/faults -d '{"faults":[{"effect":"answer","status":503}]}'
  curl -X DELETE 127.0.0.1:8181/_control/faults

What was written, in order:

  curl 127.0.0.1:8181/_control/writes`
}

func (c *clerkEmulatorCommand) Run(ctx context.Context, a *app) error {
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
	_, _ = fmt.Fprintf(a.stdout, "Clerk emulator with %d organizations.\nCLERK_API_URL=%s\n", known, server.BaseURL())
	if c.SecretKey == clerktest.DefaultSecretKey { // another may be a real one
		_, _ = fmt.Fprintf(a.stdout, "CLERK_SECRET_KEY=%s\n", c.SecretKey)
	}
	<-ctx.Done()
	return nil
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
