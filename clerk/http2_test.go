package clerk_test

import (
	"context"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/claimsync/claimsync/clerk"
	"github.com/claimsync/claimsync/clerk/clerktest"
)

// Clerk speaks HTTP/2, the emulator by itself does not: whether a request had been sent must be known there too.
func TestOverHTTP2(t *testing.T) {
	t.Parallel()
	emulator := clerktest.New(clerktest.Config{})
	emulator.AddOrganization("org_1", "Acme Roofing")
	server := httptest.NewUnstartedServer(emulator)
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(func() { _ = emulator.Close(); server.Close() })
	client := connect(t, server.URL+"/v1", func(c *clerk.Config) { c.Transport = server.Client().Transport })

	for version := range int64(2) { // on a new connection, and on one in use
		if _, err := client.PushMetadata(t.Context(), "org_1", full(version)); err != nil {
			t.Fatal(err)
		}
	}
	for _, effect := range []clerktest.Effect{clerktest.ResetBefore, clerktest.ResetAfter, clerktest.Truncate} {
		emulator.SetFaults(clerktest.Fault{Effect: effect})
		_, err := client.PushMetadata(t.Context(), "org_1", full(2))
		if failed := failure(t, err); failed.Action != clerk.Ambiguous || !failed.MaybeApplied {
			t.Errorf("%s: %v", effect, err)
		}
	}

	emulator.SetFaults(clerktest.Fault{Effect: clerktest.Hang})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		_ = emulator.WaitFor(ctx, func() bool { return len(emulator.Requests()) == 6 })
		cancel()
	}()
	_, err := client.PushMetadata(ctx, "org_1", full(2))
	if failed := failure(t, err); failed.Action != clerk.Ambiguous || !errors.Is(err, context.Canceled) {
		t.Errorf("hang: %v", err)
	}
}

// With an emulator over TLS that is not trusted, nothing is sent.
func TestUntrustedCertificate(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	_, err := connect(t, server.URL+"/v1").PushMetadata(t.Context(), "org_1", full(1))
	if failed := failure(t, err); failed.Action != clerk.Outage || failed.MaybeApplied {
		t.Error(err)
	}
}
