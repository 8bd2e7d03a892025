package clerktest_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/claimsync/claimsync/clerk/clerktest"
)

// bubble is an emulator without a network, for tests with a false clock: sockets do not go together with synctest.
type bubble struct {
	*clerktest.Server
	t     *testing.T
	began time.Time
}

// inBubble runs the test where time passes only when all wait.
func inBubble(t *testing.T, config clerktest.Config, test func(*testing.T, *bubble)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		server := clerktest.New(config)
		defer func() { _ = server.Close() }()
		server.AddOrganization("org_1", "Acme")
		server.AddOrganization("org_2", "Other")
		test(t, &bubble{server, t, time.Now()})
	})
}

// at waits until so much time has passed since the beginning.
func (b *bubble) at(since time.Duration) {
	b.t.Helper()
	wait := since - time.Since(b.began)
	if wait < 0 {
		b.t.Fatalf("%s is %s ago", since, -wait)
	}
	time.Sleep(wait)
	synctest.Wait()
}

func (b *bubble) do(method, path, body string) *httptest.ResponseRecorder {
	request := httptest.NewRequestWithContext(b.t.Context(), method, path, strings.NewReader(body))
	request.Header.Set("Authorization", "Bearer "+clerktest.DefaultSecretKey)
	request.Header.Set("Clerk-API-Version", clerktest.APIVersion)
	recorder := httptest.NewRecorder()
	b.ServeHTTP(recorder, request)
	return recorder
}

func (b *bubble) push(organization string) int {
	return b.do(http.MethodPatch, "/v1/organizations/"+organization+"/metadata", push).Code
}
