package clerk_test

import (
	"errors"
	"testing"

	"github.com/claimsync/claimsync/clerk"
	"github.com/claimsync/claimsync/clerk/clerktest"
)

// start returns an emulator without limits, with the organization org_1.
func start(tb testing.TB) *clerktest.Server {
	tb.Helper()
	server, err := clerktest.Start(clerktest.WithoutLimits())
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = server.Close() })
	server.AddOrganization("org_1", "Acme Roofing")
	return server
}

// connect returns a client of baseURL; edits may change its configuration.
func connect(tb testing.TB, baseURL string, edits ...func(*clerk.Config)) *clerk.Client {
	tb.Helper()
	config := clerk.Config{SecretKey: clerktest.DefaultSecretKey, BaseURL: baseURL}
	for _, edit := range edits {
		edit(&config)
	}
	client, err := clerk.New(config)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(client.CloseIdleConnections)
	return client
}

// failure returns err as the *clerk.Error it must be.
func failure(tb testing.TB, err error) *clerk.Error {
	tb.Helper()
	var failed *clerk.Error
	if !errors.As(err, &failed) {
		tb.Fatalf("got %#v, want a *clerk.Error", err)
	}
	return failed
}

// full is a state with every value.
func full(version int64) clerk.Metadata {
	return clerk.Metadata{
		CertificationTier: new("MASTER_ROOFER"),
		ComplianceScore:   new(87),
		InsuranceValid:    new(true),
		Version:           version,
	}
}
