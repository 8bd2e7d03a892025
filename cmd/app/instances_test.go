package main

import (
	"net/url"
	"testing"

	"github.com/claimsync/claimsync/clerk/clerktest"
)

// Two Clerk instances have their own processes, and share a database: each has a schema for our tables, by the search_path
// of its URL, and one for River's. What is changed in one is no business of the other's.
func TestInstancesShareADatabase(t *testing.T) {
	a := install(t, 12)
	b := a.besides(12)
	for name, i := range map[string]*installation{"a": a, "b": b} {
		i.inSchema("instance_" + name)
		i.serve()
		i.importAll()
		i.untilInStep()
	}
	before := len(b.clerk.Writes())
	for n := range a.organizations {
		a.promote(n)
	}
	a.untilInStep()
	a.untilClean()
	if after := len(b.clerk.Writes()); after != before {
		t.Errorf("instance b was pushed %d times by changes in a", after-before)
	}
	b.promote(0)
	b.untilInStep()
	for _, i := range []*installation{a, b} {
		(&console{t, i.environment}).says("status", "organizations 12", "processes 1 alive")
	}
}

// besides is another installation on the same database, with a Clerk of its own.
func (i *installation) besides(organizations int) *installation {
	i.t.Helper()
	config := clerktest.WithoutLimits()
	config.SecretKey = testKey
	clerk, err := clerktest.Start(config)
	if err != nil {
		i.t.Fatal(err)
	}
	i.t.Cleanup(func() { _ = clerk.Close() })
	other := *i
	other.clerk, other.organizations = clerk, sampleOf(organizations)
	other.environment = append([]string{}, i.environment...)
	for n, variable := range other.environment {
		if variable == "CLERK_API_URL="+i.clerk.BaseURL() {
			other.environment[n] = "CLERK_API_URL=" + clerk.BaseURL()
		}
	}
	for _, org := range other.organizations {
		if org.ClerkOrgID != nil {
			clerk.AddOrganization(*org.ClerkOrgID, org.Name)
		}
	}
	return &other
}

// inSchema moves an installation that has not begun into a schema of its own.
func (i *installation) inSchema(schema string) {
	i.t.Helper()
	i.exec("CREATE SCHEMA " + schema)
	u, err := url.Parse(i.database)
	if err != nil {
		i.t.Fatal(err)
	}
	query := u.Query()
	query.Set("search_path", schema)
	u.RawQuery = query.Encode()
	i.database = u.String()
	i.environment[0] = "DATABASE_URL=" + i.database
	i.environment = append(i.environment, "RIVER_SCHEMA="+schema+"_river")
}
